//! Ways to damage bytes and texts.

use crate::dice::Dice;

/// Damages bytes in one or several ways.
pub fn bytes(whole: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..times(dice) {
        damage(&mut bytes, dice);
    }
    bytes
}

/// Usually one change: with many, the first error hides later ones.
fn times(dice: &mut Dice) -> usize {
    if dice.once_in(3) { 2 + dice.below(3) } else { 1 }
}

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len());
    let end = (at + 1 + dice.below(64)).min(bytes.len());
    match dice.below(12) {
        _ if bytes.is_empty() => *bytes = dice.bytes(9),
        0..3 => bytes[at] ^= 1 << dice.below(8),
        3 => bytes[at] = dice.word() as u8,
        4 => bytes.truncate(at),
        5 => bytes.truncate(bytes.len() - dice.below(9).min(bytes.len())),
        6 => drop(bytes.drain(at..end)),
        7 => {
            let again = bytes[at..end].to_vec();
            let to = dice.below(bytes.len());
            bytes.splice(to..to, again);
        }
        8 => bytes[at..end].fill(if dice.once_in(2) { 0 } else { 0xff }),
        9 => {
            let count = dice.below(40);
            let more = dice.bytes(count);
            bytes.extend(more);
        }
        _ => number(bytes, at, dice),
    }
}

/// Overwrites something that may be a length.
pub fn number(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    let number = dice.number();
    let [little, big] = [number.to_le_bytes(), number.to_be_bytes()];
    let width = *dice.pick(&[1, 2, 4, 8]);
    let new = if dice.once_in(2) { &little[..width] } else { &big[8 - width..] };
    for (old, new) in bytes[at..].iter_mut().zip(new) {
        *old = *new;
    }
}

/// Values that a text may have in TOML or JSON.
const VALUES: [&str; 38] = [
    "0",
    "-1",
    "1",
    "3",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-0.0",
    "0.5",
    "-1e-320",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "NaN",
    "null",
    "true",
    "\"\"",
    "\"1\"",
    "\"../..\"",
    "\"\\u0000\"",
    "\"\\u001b[2J\"",
    "[]",
    "[1, 2, 3]",
    "[[[1]]]",
    "{}",
    "{ a = 1 }",
    "{\"a\":1}",
    "1979-05-27T07:32:00Z",
    "0xffffffffffffffff",
    "1_000_000_000",
    "'''\n'''",
    "\u{202e}",
    "#",
    "",
];

/// Damages a text line by line, value by value, or as bytes.
pub fn text(whole: &str, dice: &mut Dice) -> Vec<u8> {
    if dice.once_in(6) {
        return bytes(whole.as_bytes(), dice);
    }
    let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
    for _ in 0..times(dice) {
        let at = dice.below(lines.len());
        match dice.below(11) {
            _ if lines.is_empty() => lines.push(dice.pick(&VALUES).to_string()),
            0 => drop(lines.remove(at)),
            1 => lines.insert(dice.below(lines.len()), lines[at].clone()),
            2 => {
                let to = dice.below(lines.len());
                lines.swap(at, to);
            }
            3 => lines.insert(at, nested(dice)),
            4 => lines[at] = dice.pick(&VALUES).to_string(),
            5 => lines.truncate(at),
            6 => {
                let words =
                    ["units", "type", "epoch", "format", "name", "x", "a.b", "\"\"", "__proto__", "é"];
                let line = format!("{} = {}", dice.pick(&words), dice.pick(&VALUES));
                lines.insert(at, line);
            }
            _ => lines[at] = other_value(&lines[at], dice),
        }
    }
    lines.join("\n").into_bytes()
}

/// A line with one of its values replaced.
fn other_value(line: &str, dice: &mut Dice) -> String {
    let starts: Vec<usize> = line
        .char_indices()
        .filter(|(at, c)| {
            let begins = c.is_ascii_digit() || *c == '"' || *c == '-';
            begins && !line[..*at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
        })
        .map(|(at, _)| at)
        .collect();
    let Some(&start) = starts.get(dice.below(starts.len())) else {
        return format!("{line}{}", dice.pick(&VALUES));
    };
    let value = |c: char| c.is_ascii_alphanumeric() || "\"-+._".contains(c);
    let end = line[start..].find(|c| !value(c)).map_or(line.len(), |length| start + length);
    let new = match dice.below(3) {
        0 => dice.number().to_string(),
        1 => format!("-{}.{}", dice.number(), dice.below(99)),
        _ => dice.pick(&VALUES).to_string(),
    };
    format!("{}{new}{}", &line[..start], &line[end..])
}

/// Deeply nested values.
fn nested(dice: &mut Dice) -> String {
    let depth = *dice.pick(&[2, 30, 127, 200, 3000]);
    let key = dice.pick(&["layers", "training", "x", "run", "sha256"]);
    match dice.below(6) {
        0 => format!("{key} = {}{}", "[".repeat(depth), "]".repeat(depth)),
        1 => format!("{key} = {}", "[".repeat(depth)),
        2 => format!("{key} = {}1{}", "{a=".repeat(depth), "}".repeat(depth)),
        3 => format!("{key}{} = 1", ".a".repeat(depth)),
        4 => format!("[{key}{}]", ".a".repeat(depth)),
        _ => format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
    }
}
