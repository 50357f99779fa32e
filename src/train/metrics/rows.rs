//! Rows of outputs beside rows of targets.

use crate::error::SettingError;

/// Outputs and targets, sample by sample, both `[samples, columns]`.
///
/// # Errors
/// When there are no samples, or not whole rows of both, equally many.
pub(super) fn rows<'a>(
    outputs: &'a [f32],
    targets: &'a [f32],
    columns: usize,
) -> Result<impl Iterator<Item = (&'a [f32], &'a [f32])>, SettingError> {
    if targets.is_empty() {
        return Err(SettingError::new("targets", "empty", "of at least one sample"));
    }
    if columns == 0 || outputs.len() != targets.len() || !targets.len().is_multiple_of(columns) {
        let found = format!("{} numbers for {} of the targets", outputs.len(), targets.len());
        return Err(SettingError::new(
            "outputs",
            found,
            "a row with as many numbers as a target for each sample",
        ));
    }
    Ok(outputs.chunks_exact(columns).zip(targets.chunks_exact(columns)))
}

/// Names the columns in order; those past the last name get none.
pub(super) fn with_names<'a>(columns: impl Iterator<Item = &'a mut Option<String>>, names: &[String]) {
    for (column, name) in columns.zip(names) {
        *column = Some(name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let rows_of: [(usize, usize, usize, &str); 4] = [
            (0, 0, 1, "`targets` is empty"),
            (3, 4, 2, "`outputs` is 3 numbers for 4"),
            (3, 3, 2, "`outputs` is 3 numbers for 3"),
            (1, 1, 0, "`outputs` is 1 numbers for 1"),
        ];
        for (outputs, targets, columns, expected) in rows_of {
            let (outputs, targets) = (vec![0.0; outputs], vec![0.0; targets]);
            let message = rows(&outputs, &targets, columns).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }
}
