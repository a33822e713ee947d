//! Cases × adapters: the contract, where every adapter passes or fails, and the finer points, where
//! the table shows what each of them does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::adapter::Adapter;
use crate::case::{Case, Results};

/// What has come of the cases so far. Cases of one row are counted together.
pub(crate) struct Table {
    /// In the order of the list.
    rows: Vec<Row>,
    cells: Mutex<BTreeMap<(String, Adapter), Cell>>,
}

struct Row {
    name: String,
    /// What each adapter does, if it is a finer point.
    finer: Option<[String; 3]>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    passed: usize,
    failed: usize,
}

impl Table {
    pub(crate) fn new(cases: &[Arc<Case>]) -> Self {
        let mut seen = BTreeSet::new();
        let rows = cases.iter().filter(|case| seen.insert(case.row.clone()));
        let rows = rows.map(|case| Row { name: case.row.clone(), finer: case.finer.clone() });
        Self { rows: rows.collect(), cells: Mutex::default() }
    }

    /// The finer points as rows of a table in Markdown.
    pub(crate) fn finer_points(&self) -> impl Iterator<Item = String> {
        self.rows.iter().filter_map(|row| {
            let words = row.finer.as_ref()?.join(" | ");
            Some(format!("| {} | {words} |", row.name))
        })
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
        let ran =
            |row: &&Row| Adapter::ALL.iter().any(|&of| cells.contains_key(&(row.name.clone(), of)));
        let rows: Vec<_> = self.rows.iter().filter(ran).collect();
        let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let line = |f: &mut fmt::Formatter<'_>, first: &str, others: [String; 3]| {
            write!(f, "{first:width$}")?;
            for other in others {
                write!(f, "  {other:24}")?;
            }
            writeln!(f)
        };
        let cell = |row: &Row, of| cells.get(&(row.name.clone(), of)).copied().unwrap_or_default();
        line(f, "contract", Adapter::ALL.map(|adapter| adapter.to_string()))?;
        for row in rows.iter().filter(|row| row.finer.is_none()) {
            line(f, &row.name, Adapter::ALL.map(|of| cell(row, of).to_string()))?;
        }
        line(f, "\nfiner points", [""; 3].map(str::to_owned))?;
        for row in &rows {
            if let Some(words) = &row.finer {
                let shown = Adapter::ALL.map(|of| match cell(row, of) {
                    Cell { failed: 0, .. } => words[of as usize].clone(),
                    failed => failed.to_string(),
                });
                line(f, &row.name, shown)?;
            }
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
        line(f, "\nall", Adapter::ALL.map(|adapter| sum(adapter).to_string()))
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
