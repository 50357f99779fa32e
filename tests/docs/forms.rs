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

/// The first line that is shown and of whose form none was printed.
pub fn first_other<'a>(shown: &'a str, printed: &str) -> Option<&'a str> {
    let printed: Vec<String> = printed.lines().map(form).collect();
    shown.lines().find(|line| !printed.contains(&form(line)))
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
    ];
    for (shown, printed, alike) in rows {
        assert_eq!(form(shown) == form(printed), alike, "{shown:?} {printed:?}");
        assert_eq!(first_other(shown, printed).is_none(), alike, "{shown:?} {printed:?}");
    }
}
