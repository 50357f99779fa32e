//! The nearest known name, for messages about an unknown one.

/// How alike two names must be, from 0 to 1, for one to be suggested; what clap asks of flags.
const ALIKE: f64 = 0.7;

/// The known name that is most like this one, whatever letters are large, if any is.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > ALIKE).then_some(best.1)
}

/// The unknown name in what serde says of it after `start`, and the known ones.
pub(crate) fn unknown_name<'a>(message: &'a str, start: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (_, rest) = message.split_once(start)?;
    let line = rest.strip_prefix(" `")?.lines().next()?;
    // Cut at the backticks, names are at even places: the unknown one first, then the known ones.
    Some((line.split('`').next()?, line.split('`').skip(2).step_by(2).collect()))
}

/// What serde says of its own types and of Rust's, and what is meant.
const OF_SERDE: [(&str, &str); 6] = [
    ("invalid type: unit variant, expected string only", "it must be a text in quotes"),
    ("wanted exactly 1 element, more than 1 element", "it must be a text in quotes, not a table"),
    (", expected usize", ", expected a whole number of at least 0"),
    (", expected u32", ", expected a whole number from 0 to 4294967295"),
    (", expected i64", ", expected a whole number"),
    (", expected f64", ", expected a number"),
];

/// What serde says of a value, with the nearest of the names that it lists where one is unknown.
pub(crate) fn with_suggestion(message: &str) -> String {
    let plain = |text: String, (of_serde, plain): (&str, &str)| text.replace(of_serde, plain);
    let message = OF_SERDE.into_iter().fold(message.trim_end().to_owned(), plain);
    let unknown =
        ["unknown field", "unknown variant"].into_iter().find_map(|start| unknown_name(&message, start));
    match unknown.and_then(|(name, known)| nearest(name, known)) {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let rows = [
            ("unknown field `epoch`, expected one of `epochs`, `batch_size`", Some("epochs")),
            ("unknown field `epoch`, expected `epochs`", Some("epochs")),
            ("unknown field `bach_size`, expected `epochs` or `batch_size`\n", Some("batch_size")),
            (
                "line 1\n  |\nunknown variant `vall_loss`, expected one of `loss`, `val_loss`",
                Some("val_loss"),
            ),
            ("unknown field `xyz`, expected one of `epochs`, `batch_size`", None),
            ("unknown field `epochs`, there are no fields", None),
            ("invalid type: string", None),
            (
                "unknown variant `mean_sqared_error`, expected `mean_squared_error` or `mse`",
                Some("mean_squared_error"),
            ),
        ];
        for (message, expected) in rows {
            let found = with_suggestion(message);
            let tail = expected.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
            assert_eq!(found, message.trim_end().to_owned() + &tail);
        }
    }

    #[test]
    fn serde_does_not_speak_of_its_types() {
        let rows = [
            (
                "line 1\ninvalid type: unit variant, expected string only\n",
                "line 1\nit must be a text in quotes",
            ),
            (
                "invalid type: floating point `10.0`, expected usize\nin `units`",
                "invalid type: floating point `10.0`, expected a whole number of at least 0\nin `units`",
            ),
            ("wanted exactly 1 element, more than 1 element", "it must be a text in quotes, not a table"),
        ];
        for (message, expected) in rows {
            assert_eq!(with_suggestion(message), expected);
        }
    }
}
