//! What a cell of a CSV file is.

/// What stands in cells of which the number is missing.
const MISSING: [&str; 9] = ["", "?", "-", "NA", "N/A", "NaN", "nan", "null", "None"];

/// Whether a cell says that its number is missing.
pub(super) fn is_missing(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| MISSING.contains(&text))
}

/// Whether a cell is a number, finite or not.
pub(super) fn is_number(cell: &[u8]) -> bool {
    !is_missing(cell) && std::str::from_utf8(cell).is_ok_and(|text| text.parse::<f64>().is_ok())
}
