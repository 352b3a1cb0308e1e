//! `docker run`, `start`, `stop`, `kill` and `restart`: mounting when a container starts, unmounting when it ends.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::Work;
use crate::{
    engine::{
        print,
        simulated::{
            container::{Container, ContainerState, Mount},
            error::{DaemonError, ErrorStatus},
            process::Process,
            profile::Profile,
        },
    },
    engine_api::{CliResult, Run},
};

/// The exit code of what SIGKILL has ended.
const SIGKILL: u8 = 137;

/// How long what runs in a container goes on.
enum Lasting {
    Not,
    For(Duration),
    UntilStopped,
}

impl Lasting {
    fn of(run: &Run) -> Self {
        let words: Vec<_> = run.command.iter().flat_map(|word| word.split_whitespace()).collect();
        match words.as_slice() {
            ["sleep", seconds] => {
                seconds.parse().map_or(Self::Not, |seconds| Self::For(Duration::from_secs(seconds)))
            }
            words if words.iter().any(|word| ["top", "tail", "sleep"].contains(word)) => Self::UntilStopped,
            _ => Self::Not,
        }
    }
}

impl Work<'_> {
    pub(super) async fn run(self, run: &Run) -> CliResult {
        let container = match self.create(run).await {
            Ok(container) => container,
            Err(error) => return self.run_failed(&error),
        };
        if let Err(error) = self.start(&container).await {
            if run.rm {
                let mut state = container.state.lock().await;
                self.release_held(&container, &mut state, true).await;
            }
            return self.run_failed(&error);
        }
        let ended = match Lasting::of(run) {
            Lasting::Not => self.exec(&container).await,
            _ if run.detach => return CliResult::success(&*container.id),
            Lasting::For(time) => {
                self.daemon.config.clock.sleep(time).await;
                CliResult::default()
            }
            Lasting::UntilStopped => std::future::pending().await,
        };
        self.exited(&container).await;
        if run.detach { CliResult::success(&*container.id) } else { ended }
    }

    /// Runs what ends by itself.
    async fn exec(self, container: &Container) -> CliResult {
        let ended = self.run_in(container, &container.run.command).await;
        let mut state = container.state.lock().await;
        state.exit_code = ended.code;
        for text in [&ended.stdout, &ended.stderr].into_iter().filter(|text| !text.is_empty()) {
            state.output.extend([text.as_str(), "\n"]);
        }
        ended
    }

    /// Runs a command in a container, to its end.
    async fn run_in(self, container: &Container, command: &[String]) -> CliResult {
        let mounts = container.state.lock().await.mounts.clone();
        Process { mounts: &mounts, files: &self.files() }.run(command)
    }

    /// `docker exec`
    pub(super) async fn exec_named(self, name: &str, command: &[String]) -> Result<CliResult, DaemonError> {
        let container = match self.container_for_cli(name) {
            Ok(container) => container,
            Err(failed) => return Ok(failed),
        };
        if !container.state.lock().await.running {
            let a_container = match self.daemon.config.profile {
                Profile::Docker => "container",
                Profile::Docker20 | Profile::Podman => "Container",
            };
            let text = format!("{a_container} {} is not running", container.id);
            return Err(DaemonError::new(ErrorStatus::Conflict, text));
        }
        Ok(self.run_in(&container, command).await)
    }

    /// `docker logs`
    pub(super) async fn logs(self, name: &str) -> CliResult {
        match self.container_for_cli(name) {
            Ok(container) => CliResult::success(container.state.lock().await.output.trim_end()),
            Err(failed) => failed,
        }
    }

    /// A container, or what the command line says where there is none.
    fn container_for_cli(self, name: &str) -> Result<Arc<Container>, CliResult> {
        self.container(name).map_err(|error| {
            CliResult::failure(1, self.daemon.config.profile.not_found("container", name, &error.text))
        })
    }

    /// Where containers may read and write.
    pub(super) fn files(self) -> Vec<PathBuf> {
        [self.daemon.config.files.clone(), self.daemon.local.home()].into_iter().flatten().collect()
    }

    fn run_failed(self, error: &DaemonError) -> CliResult {
        print::run_failure(&error.text, self.daemon.config.profile.run_hint())
    }

    pub(super) async fn start_named(self, name: &str) -> CliResult {
        let started = match self.container(name) {
            Ok(container) => {
                let started = self.start(&container).await;
                if started.is_ok() && matches!(Lasting::of(&container.run), Lasting::Not) {
                    self.exec(&container).await;
                    self.exited(&container).await;
                }
                started
            }
            Err(error) => Err(error),
        };
        match started {
            Ok(()) => CliResult::success(name),
            Err(error) => CliResult::failure(
                1,
                format!(
                    "Error response from daemon: {}\n{}: {name}",
                    error.text.trim(),
                    self.daemon.config.profile.start_hint()
                ),
            ),
        }
    }

    /// Mounts the volumes and starts what runs in it. If that fails, what was mounted is unmounted.
    pub(in crate::engine::simulated) async fn start(
        self,
        container: &Arc<Container>,
    ) -> Result<(), DaemonError> {
        let mut state = container.state.lock().await;
        if state.running {
            return Ok(());
        }
        let set_up = state.set_up(self.store, &self.daemon.rng, &container.id).await;
        let started = set_up.and_then(|()| self.runc(&container.run, &state));
        if let Err(error) = &started {
            state.clean_up(self.store, self.daemon.config.profile).await;
            state.error.clone_from(&error.text);
            let code = print::run_failure(&error.text, "").code;
            // The daemon's own failures have no code of the runtime.
            state.exit_code = if code == 125 { 128 } else { code };
        }
        started?;
        (state.running, state.has_run, state.exit_code) = (true, true, 0);
        state.error.clear();
        Ok(())
    }

    /// What runc makes of the mounts and the command. An empty path is resolved against the container's bundle, and so
    /// it mounts that: the container starts, with the engine's own directory for a volume.
    fn runc(self, run: &Run, state: &ContainerState) -> Result<(), DaemonError> {
        let profile = self.daemon.config.profile;
        let failed = |text: String| Err(DaemonError::new(ErrorStatus::Internal, text));
        if let Some(Mount { path, destination, .. }) = state.mounts.iter().find(|mount| !mount.is_there()) {
            return failed(profile.missing_path(path, destination));
        }
        let program = run.command.first().map_or("sh", String::as_str);
        if (Process { mounts: &state.mounts, files: &self.files() }).finds(program) {
            return Ok(());
        }
        failed(profile.runtime_error(&format!("exec: {program:?}: executable file not found in $PATH")))
    }

    /// What runs in the container has ended: its volumes are unmounted, and `--rm` removes it.
    async fn exited(self, container: &Container) {
        let mut state = container.state.lock().await;
        self.end(&mut state).await;
        if container.run.rm {
            self.release_held(container, &mut state, true).await;
        }
    }

    /// A container that runs does so no longer. That its volumes could not be unmounted is only logged.
    pub(in crate::engine::simulated) async fn end(self, state: &mut ContainerState) {
        if std::mem::take(&mut state.running) {
            state.clean_up(self.store, self.daemon.config.profile).await;
        }
    }

    pub(super) async fn stop(self, name: &str) -> Result<CliResult, DaemonError> {
        self.killed(&*self.container(name)?).await;
        Ok(CliResult::success(name))
    }

    /// A signal ends what runs in a container.
    async fn killed(self, container: &Container) {
        let mut state = container.state.lock().await;
        if state.running {
            state.exit_code = SIGKILL;
        }
        drop(state);
        self.exited(container).await;
    }

    pub(super) async fn kill(self, name: &str) -> Result<CliResult, DaemonError> {
        let (cannot, a_container) = match self.daemon.config.profile {
            Profile::Docker => ("cannot kill container", "container"),
            Profile::Docker20 | Profile::Podman => ("Cannot kill container", "Container"),
        };
        let context = format!("{cannot}: {name}");
        let container = self.container(name).map_err(|error| error.because(&context))?;
        if !container.state.lock().await.running {
            let text = format!("{context}: {a_container} {} is not running", container.id);
            return Err(DaemonError::new(ErrorStatus::Conflict, text));
        }
        self.killed(&container).await;
        Ok(CliResult::success(name))
    }

    pub(super) async fn restart(self, name: &str) -> Result<CliResult, DaemonError> {
        let container = self.container(name)?;
        let mut state = container.state.lock().await;
        self.end(&mut state).await;
        drop(state);
        let started = self.start(&container).await;
        started.map_err(|error| error.because(&format!("Cannot restart container {name}")))?;
        Ok(CliResult::success(name))
    }
}
