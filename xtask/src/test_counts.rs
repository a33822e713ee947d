//! Adds up what test runners print.

use std::fmt;
use std::ops::Add;

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TestCounts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl TestCounts {
    /// Reads the line with which a test binary ends:
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let mut parts = counts.split("; ");
        let mut count = |what| parts.next()?.strip_suffix(what)?.trim_end().parse().ok();
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
            ignored: count("ignored")?,
        })
    }
}

impl Add for TestCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

/// In the words of the test runner itself.
impl fmt::Display for TestCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, ignored } = self;
        let verdict = if *failed == 0 { "ok" } else { "FAILED" };
        write!(f, "test result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored")
    }
}

#[cfg(test)]
mod tests {
    use super::TestCounts;

    const LINE: &str = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s";

    #[test]
    fn the_last_line_of_a_test_binary_is_read() {
        let counts = TestCounts { passed: 12, failed: 0, ignored: 1 };
        assert_eq!(TestCounts::from_line(LINE), Some(counts));
    }

    #[test]
    fn a_failure_is_read_and_shown() {
        let line = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        let counts = TestCounts::from_line(line).unwrap();
        assert_eq!(counts.to_string(), "test result: FAILED. 1 passed; 2 failed; 0 ignored");
    }

    #[test]
    fn other_lines_are_not_counts() {
        for line in ["", "test a::b ... ok", "running 3 tests", "test result: maybe"] {
            assert_eq!(TestCounts::from_line(line), None, "{line}");
        }
    }

    #[test]
    fn counts_add_up() {
        let one = TestCounts { passed: 1, failed: 2, ignored: 3 };
        assert_eq!(one + one, TestCounts { passed: 2, failed: 4, ignored: 6 });
    }
}
