//! Pieces of HTML.

/// A sample of the test set by its number, and by its name if it has one: `image 2, apple/1.jpg`.
pub fn called(sample: &str, index: usize, name: Option<&str>) -> String {
    let name = name.map_or(String::new(), |name| format!(", {}", escaped(name)));
    format!("{sample} {index}{name}")
}

/// Escapes a text for use between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // Not allowed in HTML in any form.
            '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' => html.push('\u{fffd}'),
            other => html.push(other),
        }
    }
    html
}

/// A table that scrolls by itself; cells are HTML. The first column is a heading.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let heading: String =
        headings.iter().map(|text| format!("<th scope=\"col\">{}</th>", escaped(text))).collect();
    let heading = if headings.is_empty() { heading } else { format!("<thead><tr>{heading}</tr></thead>\n") };
    let row = |cells: &Vec<String>| {
        let cells: String =
            cells
                .iter()
                .enumerate()
                .map(|(at, cell)| {
                    if at == 0 {
                        format!("<th scope=\"row\">{cell}</th>")
                    } else {
                        format!("<td>{cell}</td>")
                    }
                })
                .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<div class=\"scroll\"><table>\n{heading}<tbody>\n{rows}</tbody></table></div>\n")
}

/// A bar of a length from 0 to 1.
pub fn bar(length: f64) -> String {
    format!("<span class=\"bar\"><i style=\"width:{:.1}%\"></i></span>", 100.0 * length.clamp(0.0, 1.0))
}

/// The most characters of a class name.
const MOST_CHARACTERS: usize = 100;

/// A text, cut to its beginning if it is very long.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let rows = [
            ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"),
            ("a\0b\u{1b}c\n\t", "a\u{fffd}b\u{fffd}c\n\t"),
            ("ünder", "ünder"),
            ("&lt;", "&amp;lt;"),
        ];
        for (text, expected) in rows {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn bars_stay_within() {
        assert!(bar(2.0).contains("width:100.0%") && bar(-1.0).contains("width:0.0%"));
        assert!(bar(f64::NAN).contains("width:"));
    }

    #[test]
    fn long_names_are_shortened() {
        for (length, expected) in [(3, 3), (MOST_CHARACTERS, MOST_CHARACTERS), (500, MOST_CHARACTERS + 1)] {
            assert_eq!(shortened(&"\u{fc}".repeat(length)).chars().count(), expected, "{length}");
        }
    }
}
