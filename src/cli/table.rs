//! Tables of text with aligned columns.

/// The side on which the cells of a column are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Rows of columns, two spaces apart; the headings come first.
pub fn render<const N: usize>(headings: [(&str, Align); N], rows: &[[String; N]]) -> String {
    render_all(&headings, rows)
}

/// [`render`] for a number of columns that is not known beforehand; each row has a cell for each heading.
pub fn render_all(headings: &[(&str, Align)], rows: &[impl AsRef<[String]>]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|(heading, _)| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let aligned =
            cells.iter().zip(headings).zip(&widths).map(|((cell, (_, align)), width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
        aligned.collect::<Vec<String>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(headings.iter().map(|(heading, _)| *heading).collect())];
    lines.extend(rows.iter().map(|row| line(row.as_ref().iter().map(String::as_str).collect())));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_do_not_trail() {
        let rows = [["a".to_owned(), "1".to_owned()], ["bcdef".to_owned(), "23".to_owned()]];
        let text = render([("Name", Align::Left), ("N", Align::Right)], &rows);
        assert_eq!(text, "Name    N\na       1\nbcdef  23");
    }
}
