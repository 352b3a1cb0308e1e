//! `JUnit` reports, as CI systems read them.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A test case of a report.
pub struct Case {
    pub class: String,
    pub name: String,
    pub duration: Duration,
    pub result: CaseResult,
}

/// How a test case ended.
pub enum CaseResult {
    Passed,
    /// In one line, and in full.
    Failed(String, String),
    /// Why.
    Skipped(String),
}

/// Writes a report with one suite.
pub fn write(path: &Path, suite: &str, cases: Vec<Case>) -> anyhow::Result<()> {
    let time = cases.iter().map(|case| case.duration).sum();
    let mut report = Report::new(suite);
    let mut cases_of = TestSuite::new(suite);
    cases_of.set_time(time).add_test_cases(cases.into_iter().map(test_case));
    report.set_time(time).add_test_suite(cases_of);
    let text = report.to_string()?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn test_case(case: Case) -> TestCase {
    let status = match case.result {
        CaseResult::Passed => TestCaseStatus::success(),
        CaseResult::Failed(message, text) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(message).set_description(text);
            status
        }
        CaseResult::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
    };
    let mut test_case = TestCase::new(case.name, status);
    test_case.set_classname(case.class).set_time(case.duration);
    test_case
}
