//! Tables of text with aligned columns.

/// The side on which the cells of a column are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Rows of columns, two spaces apart; the headings come first.
pub fn render<const N: usize>(headings: [(&str, Align); N], rows: &[[String; N]]) -> String {
    let mut widths = headings.map(|(heading, _)| heading.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let cells: Vec<String> = (0..N)
            .map(|at| match headings[at].1 {
                Align::Left => format!("{:<1$}", cells[at], widths[at]),
                Align::Right => format!("{:>1$}", cells[at], widths[at]),
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(headings.map(|(heading, _)| heading))];
    lines.extend(rows.iter().map(|row| line(row.each_ref().map(String::as_str))));
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
