//! What programs print, without its values.

/// Signs that are drawn as long as a table is wide.
const RULES: &str = "━─┏┳┓┡╇┩├┼┤└┴┘│┃";

/// A line with every number, with its unit of bytes, as `#`; blanks and rules count once. Of the line that names a device nothing else
/// stays: every machine has its own.
pub fn form(line: &str) -> String {
    if line.starts_with("Device:") {
        return "Device:".to_owned();
    }
    let mut form = String::new();
    let mut rest = line.trim().chars().peekable();
    while let Some(next) = rest.next() {
        let is_number = |c: &char| c.is_ascii_digit() || ",.".contains(*c);
        if next.is_ascii_digit() {
            while rest.next_if(is_number).is_some() {}
            // 1.5e-7
            let mut ahead = rest.clone();
            if ahead.next() == Some('e') {
                ahead.next_if(|c| "+-".contains(*c));
                if ahead.next_if(char::is_ascii_digit).is_some() {
                    rest = ahead;
                    while rest.next_if(char::is_ascii_digit).is_some() {}
                }
            }
            form.push('#');
        } else if next.is_whitespace() || RULES.contains(next) {
            while rest.next_if(|c| c.is_whitespace() || RULES.contains(*c)).is_some() {}
            form.push(' ');
        } else {
            form.push(next);
        }
    }
    for unit in ["KB", "MB", "GB"] {
        form = form.replace(&format!("# {unit}"), "# B");
    }
    form.trim().to_owned()
}

/// The first line that is shown and whose form was not printed. A document may break a line that is too long for it, so that each of its
/// own is a part of what was printed; `...` stands for what it leaves out.
pub fn first_other<'a>(shown: &'a str, printed: &str) -> Option<&'a str> {
    let printed = printed.lines().map(form).collect::<Vec<_>>().join(" ");
    let is_there = |line: &str| {
        let mut rest = printed.as_str();
        line.split("...").all(|part| {
            let part = form(part);
            let end = rest.find(&part).map(|at| at + part.len());
            rest = end.map_or("", |end| &rest[end..]);
            end.is_some()
        })
    };
    shown.lines().find(|line| !is_there(line))
}

#[test]
fn values_do_not_count_and_words_do() {
    let rows = [
        ("Epoch 1/5 - 938 steps - 2.9s 3.1ms/step", "Epoch 2/9 - 2 steps - 0.01s 13.1ms/step", true),
        (
            "│ flatten (Flatten)   │ (None, 5408)  │   0 │",
            "│ flatten (Flatten) │ (None, 10) │ 12,345 │",
            true,
        ),
        ("Memory: 17.97 MB for 60,000 samples", "Memory: 812.2 KB for 128 samples", true),
        ("Device: CPU executor", "Device: llvmpipe", true),
        ("a.png: 2 (0.9998)  then 8 (0.0001)", "a.png: 3 (0.1)  then 1 (0.05)", true),
        ("a.png: 2 (0.9998)  then 8 (0.0001)", "b.png: 3 (0.1)  then 1 (0.05)", false),
        ("loss: 0.1 - accuracy: 0.2", "loss: 0.1", false),
        ("a  1.5e-7  pass", "a 0 pass", true),
        ("a  1.5e-7  pass", "a 0 FAIL", false),
        ("first ... 3 last", "first second 4 last", true),
        ("last ... 3 first", "first second 4 last", false),
        ("one\n  two", "one two\nthree", true),
    ];
    for (shown, printed, alike) in rows {
        assert_eq!(first_other(shown, printed).is_none(), alike, "{shown:?} {printed:?}");
    }
}
