//! The instance format: a travel matrix with service times folded into its rows, and windows.

use std::error::Error;
use std::path::{Path, PathBuf};

use satchel_core::route::{Draft, End, Objective, SpeedModel, Start, Stop, Travel};
use serde::Deserialize;

use super::Goal;

/// One instance; node 0 is the start.
#[derive(Debug, Deserialize)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// True when nothing is driven after the last stop; column 0 then holds only its service.
    pub(crate) open_path: bool,
    pub(crate) travel: Vec<Vec<i64>>,
    pub(crate) window: Vec<(i64, i64)>,
    #[serde(default)]
    reference: References,
}

/// Best known values.
#[derive(Debug, Default, Deserialize)]
struct References {
    travel_time: Option<Reference>,
    completion: Option<Reference>,
}

/// A best known value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Reference {
    pub(crate) lateness: i64,
    pub(crate) value: i64,
}

/// The JSON files of a folder whose name contains `only`, sorted.
pub(crate) fn files(folder: &Path, only: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        if path.extension().is_some_and(|ext| ext == "json") && name.contains(only) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Instance {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    }

    /// The best known value under a goal.
    pub(crate) fn reference(&self, goal: Goal) -> Option<Reference> {
        match goal {
            Goal::Travel => self.reference.travel_time,
            Goal::Completion => self.reference.completion,
        }
    }

    /// The leg from `a` to `b`; `b` 0 ends the route.
    pub(crate) fn leg(&self, a: usize, b: usize) -> i64 {
        self.travel
            .get(a)
            .and_then(|row| row.get(b))
            .copied()
            .unwrap_or(0)
    }

    /// The problem as the solver takes it: on an open path the service is told apart from the way.
    pub(crate) fn draft(&self, goal: Goal) -> Result<Draft, Box<dyn Error>> {
        let n = self.travel.len();
        let service = |node: usize| if self.open_path { self.leg(node, 0) } else { 0 };
        let mut cells = Vec::with_capacity(n * n);
        for from in 0..n {
            for to in 0..n {
                let ticks = if from == to || (to == 0 && self.open_path) {
                    0
                } else {
                    self.leg(from, to) - service(from)
                };
                cells.push(Some(u32::try_from(ticks)?));
            }
        }
        let mut nodes = self.window.iter().enumerate();
        let (_, &(earliest, close)) = nodes.next().ok_or("an instance without nodes")?;
        let stops = nodes
            .map(|(node, &(open, close))| Stop {
                open,
                close,
                service: service(node),
                ..Stop::default()
            })
            .collect();
        let start = Start {
            earliest,
            latest: earliest,
            place: None,
        };
        let mut draft = Draft::new(start, stops, Travel::Matrix(cells, SpeedModel::default()));
        draft.objective = match goal {
            Goal::Travel => Objective::Travel,
            Goal::Completion => Objective::Completion,
        };
        if !self.open_path {
            draft.end = End::Start;
            draft.shift_end = Some((close, 1));
        }
        Ok(draft)
    }
}
