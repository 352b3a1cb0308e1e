//! The job that `docs/ci.md` describes, on a private dockerd.

mod support;

use std::{env, fs, path::Path, process::ExitCode};

use support::{TIMEOUT, docker, dockerd::Dockerd, sandbox::Sandbox};

fn main() -> ExitCode {
    support::run(tests![the_job_of_the_documents_passes_and_fails_with_its_expectations])
}

fn the_job_of_the_documents_passes_and_fails_with_its_expectations() {
    let sandbox = Sandbox::new();
    let _daemon = Dockerd::start_with_busybox(&sandbox);
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci");
    let program = Path::new(env!("CARGO_BIN_EXE_voltergeist"));
    let programs = program.parent().expect("it is in a directory").display();
    let job = |name: &str, script: &Path| {
        let out = sandbox.path(name);
        fs::create_dir(&out).expect("a directory for the results");
        let variables = [
            format!("PATH={programs}:{}", env::var("PATH").unwrap_or_default()),
            format!("DOCKER_HOST={}", docker::host(&sandbox)),
            format!("VOLTERGEIST_ROOT={}", out.join("volumes").display()),
            format!("NAME=ghost-{name}"),
            "LC_ALL=C.UTF-8".to_owned(),
            format!("OUT={}", out.display()),
        ];
        let mut words: Vec<&str> = variables.iter().map(String::as_str).collect();
        let script = script.display().to_string();
        words.extend(["sh", &script]);
        let mut job = sandbox.spawn(name, "env", &words);
        let end = job.wait(TIMEOUT * 2).expect("the job ends");
        let report = fs::read_to_string(out.join("report.xml")).unwrap_or_default();
        (end.code(), report, job.log())
    };
    let (status, report, log) = job("passes", &documents.join("job.sh"));
    assert_eq!(status, Some(0), "{log}");
    assert!(
        report.contains(r#"failures="0""#) && report.contains("sequence get create get mount"),
        "{report}"
    );
    // The same job with expectations that this run does not meet.
    let script = sandbox.path("job.sh");
    fs::copy(documents.join("job.sh"), &script).expect("the job can be copied");
    fs::write(sandbox.path("expect.toml"), "expect = [\"mount == unmount\", \"lint == 0\"]\n")
        .expect("a file");
    let (status, report, log) = job("fails", &script);
    assert_eq!(status, Some(1), "{log}");
    assert!(log.contains("✗ mount == unmount\n    mount is 3, unmount is 2\n"), "{log}");
    assert!(report.contains(r#"failures="1""#), "{report}");
}
