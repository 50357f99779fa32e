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

/// What serde says of an unknown field or variant, with the nearest of those that it lists.
pub(crate) fn with_suggestion(message: &str) -> String {
    let message = message.trim_end();
    let suggestion = ["unknown field `", "unknown variant `"].into_iter().find_map(|start| {
        let (_, rest) = message.split_once(start)?;
        let line = rest.lines().next()?;
        // Cut at the backticks, names are at even places: the unknown one first, then the known ones.
        let name = line.split('`').next()?;
        nearest(name, line.split('`').skip(2).step_by(2))
    });
    match suggestion {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message.to_owned(),
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
        ];
        for (message, expected) in rows {
            let found = with_suggestion(message);
            let tail = expected.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
            assert_eq!(found, message.trim_end().to_owned() + &tail);
        }
    }
}
