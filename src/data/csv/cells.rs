//! What a cell of a CSV file is.

/// What stands in cells of which the number is missing, in capital or small letters.
const MISSING: [&str; 10] = ["", "?", "-", "NA", "N/A", "#N/A", "<NA>", "NaN", "NaT", "null"];
/// Python's word; in small letters it may be a class.
const NONE: &str = "None";

/// Whether a cell says that its number is missing.
pub(super) fn is_missing(cell: &[u8]) -> bool {
    cell == NONE.as_bytes() || MISSING.iter().any(|missing| cell.eq_ignore_ascii_case(missing.as_bytes()))
}

/// Whether a cell is a number, finite or not.
pub(super) fn is_number(cell: &[u8]) -> bool {
    !is_missing(cell) && std::str::from_utf8(cell).is_ok_and(|text| text.parse::<f64>().is_ok())
}
