//! What a process has cost so far, as Linux tells it.

use std::fs;

/// The memory and the time of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcessFigures {
    /// Memory that it has now, in kB.
    pub resident: f64,
    /// The most that it has had.
    pub peak: f64,
    /// The time of processors that it has used, by itself and in the kernel, in seconds.
    pub processor: f64,
}

impl ProcessFigures {
    /// Of the process of this number, or why they cannot be had.
    ///
    /// # Errors
    ///
    /// Where there is no `/proc`, and where there is no such process.
    pub fn of(process: u32) -> Result<Self, String> {
        let read = |name: &str| {
            let path = format!("/proc/{process}/{name}");
            fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
        };
        let (status, stat) = (read("status")?, read("stat")?);
        let figures = Self {
            resident: kilobytes(&status, "VmRSS:"),
            peak: kilobytes(&status, "VmHWM:"),
            processor: processor(&stat),
        };
        Ok(figures)
    }
}

/// The kernel says kB, and means 1,024 bytes.
fn kilobytes(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let count: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    count * 1.024
}

/// The fields 14 and 15, in hundredths of a second. The second one is a name in parentheses, which may
/// have spaces.
fn processor(stat: &str) -> f64 {
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

#[cfg(test)]
mod tests {
    use super::{kilobytes, processor};

    #[test]
    fn what_the_kernel_says_is_read() {
        assert!(
            (kilobytes("VmPeak:\t 9 kB\nVmRSS:\t    1000 kB\n", "VmRSS:") - 1024.0).abs() < 0.1
        );
        let stat = "12 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 9 0 1\n";
        assert!((processor(stat) - 2.0).abs() < 1e-9);
    }
}
