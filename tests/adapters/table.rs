//! Cases × adapters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::adapter::Adapter;
use crate::case::{Case, Results};

/// What has come of the cases so far. Cases of one row are counted together.
pub(crate) struct Table {
    /// In the order of the list.
    rows: Vec<String>,
    cells: Mutex<BTreeMap<(String, Adapter), Cell>>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    passed: usize,
    failed: usize,
}

impl Table {
    pub(crate) fn new(cases: &[Arc<Case>]) -> Self {
        let mut seen = BTreeSet::new();
        let rows = cases.iter().map(|case| case.row.clone());
        let rows = rows.filter(|row| seen.insert(row.clone())).collect();
        Self { rows, cells: Mutex::default() }
    }

    pub(crate) fn enter(&self, case: &Case, results: &Results) {
        let mut cells = self.cells.lock().unwrap();
        for (adapter, result) in results {
            let cell = cells.entry((case.row.clone(), *adapter)).or_default();
            match result {
                Ok(()) => cell.passed += 1,
                Err(_) => cell.failed += 1,
            }
        }
    }
}

impl fmt::Display for Table {
    /// Rows of which no case was run are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.cells.lock().unwrap();
        let ran = |row: &&String| {
            Adapter::ALL.iter().any(|&of| cells.contains_key(&((*row).clone(), of)))
        };
        let rows: Vec<_> = self.rows.iter().filter(ran).collect();
        let width = rows.iter().map(|row| row.chars().count()).max().unwrap_or(0);
        let line = |f: &mut fmt::Formatter<'_>, first: &str, others: [String; 3]| {
            write!(f, "{first:width$}")?;
            for other in others {
                write!(f, "  {other:8}")?;
            }
            writeln!(f)
        };
        line(f, "case", Adapter::ALL.map(|adapter| adapter.to_string()))?;
        for row in rows {
            let cell = |of| cells.get(&(row.clone(), of)).copied().unwrap_or_default();
            line(f, row, Adapter::ALL.map(|adapter| cell(adapter).to_string()))?;
        }
        let sum = |of| {
            cells.iter().filter(|((_, adapter), _)| *adapter == of).fold(
                Cell::default(),
                |sum, (_, cell)| Cell {
                    passed: sum.passed + cell.passed,
                    failed: sum.failed + cell.failed,
                },
            )
        };
        line(f, "all", Adapter::ALL.map(|adapter| sum(adapter).to_string()))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self { passed: 0, failed: 0 } => "-".to_owned(),
            Self { passed: 1, failed: 0 } => "ok".to_owned(),
            Self { passed, failed: 0 } => format!("{passed} ok"),
            Self { passed: 0, failed: 1 } => "FAILED".to_owned(),
            Self { passed, failed } => format!("{failed} of {} FAILED", passed + failed),
        };
        f.pad(&text)
    }
}
