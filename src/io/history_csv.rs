//! `history.csv`: the epochs of a run as a table for spreadsheets and plots.

use std::path::{Path, PathBuf};

use super::run::{HISTORY_CSV_FILE, RunError, write_own};
use crate::train::{Callback, CallbackError, EpochRecord};

const HEADINGS: &str = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds";

/// Rewrites the table after each epoch, so that it is always complete. Values that are missing or not finite are left
/// empty.
#[derive(Debug)]
pub struct HistoryCsv {
    path: PathBuf,
    text: String,
}

impl HistoryCsv {
    /// Into this run folder, after the epochs that a resumed run had before.
    pub fn new(run: &Path, before: &[EpochRecord]) -> Self {
        let lines: String = before.iter().map(line).collect();
        HistoryCsv { path: run.join(HISTORY_CSV_FILE), text: format!("{HEADINGS}\n{lines}") }
    }
}

impl Callback for HistoryCsv {
    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.text.push_str(&line(record));
        write_own(&self.path, self.text.as_bytes()).map_err(|cause| RunError::write(&self.path, cause))?;
        Ok(())
    }
}

fn line(record: &EpochRecord) -> String {
    let EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy, learning_rate, seconds } = record;
    let number = |figure: Option<f64>| {
        figure.filter(|figure| figure.is_finite()).map_or(String::new(), |f| f.to_string())
    };
    let [loss, accuracy, val_loss, val_accuracy] =
        [Some(*loss), *accuracy, *val_loss, *val_accuracy].map(number);
    format!("{epoch},{loss},{accuracy},{val_loss},{val_accuracy},{learning_rate},{seconds}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_is_a_line_and_gaps_stay_empty() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = HistoryCsv::new(folder.path(), &[]);
        let mut record = EpochRecord {
            epoch: 1,
            loss: 0.5,
            accuracy: Some(0.75),
            val_loss: None,
            val_accuracy: None,
            learning_rate: 0.001,
            seconds: 2.5,
        };
        table.on_epoch_end(&record).unwrap();
        let first = record;
        record =
            EpochRecord { epoch: 2, loss: f64::NAN, val_loss: Some(0.25), val_accuracy: Some(1.0), ..record };
        table.on_epoch_end(&record).unwrap();
        let read = || std::fs::read_to_string(folder.path().join("history.csv")).unwrap();
        let text = read();
        assert_eq!(text, format!("{HEADINGS}\n1,0.5,0.75,,,0.001,2.5\n2,,0.75,0.25,1,0.001,2.5\n"));
        // Resumed after the second epoch, it continues with the third.
        HistoryCsv::new(folder.path(), &[first, record])
            .on_epoch_end(&EpochRecord { epoch: 3, ..record })
            .unwrap();
        assert_eq!(read(), format!("{text}3,,0.75,0.25,1,0.001,2.5\n"));
    }
}
