//! How many tests passed and failed, from what a runner prints.

/// The sum over everything that a runner printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed or took too long.
    pub failed: u64,
}

impl Summary {
    /// Adds what a line says, if it is a summary of cargo's runner (one for each binary) or of nextest (one in all).
    /// nextest repeats, indented, what a failed test printed, its harness's summary among it: that counts nothing.
    pub fn read(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result:").or_else(|| {
            let rest = line.trim_start().strip_prefix("Summary [")?;
            Some(rest.split_once(" run:")?.1)
        }) else {
            return;
        };
        let words: Vec<&str> = counts.split([' ', ',', ';', '(', ')', '.']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" | "timed" => self.failed += count,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    fn sum(lines: &[&str]) -> (u64, u64) {
        let mut summary = Summary::default();
        lines.iter().for_each(|line| summary.read(line));
        (summary.passed, summary.failed)
    }

    #[test]
    fn each_binary_of_cargos_runner_counts() {
        let lines = [
            "running 14 tests",
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.31s",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.00s",
        ];
        assert_eq!(sum(&lines), (15, 1));
    }

    #[test]
    fn nextests_line_counts_with_what_timed_out() {
        let line = "     Summary [  12.345s] 1290 tests run: 1286 passed (4 slow), 3 failed, 1 timed out, 5 skipped";
        assert_eq!(sum(&[line]), (1_286, 4));
        assert_eq!(sum(&["     Summary [   0.012s] 1 test run: 1 passed, 0 skipped"]), (1, 0));
    }

    #[test]
    fn what_a_test_prints_counts_nothing() {
        let repeated = "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out";
        assert_eq!(sum(&[repeated]), (0, 0));
        assert_eq!(sum(&["    PASS [ 0.1s] hindcast::blackbox 3 passed", "2 failed", "Summary of 7 passed"]), (0, 0));
    }
}
