//! The table that `summary` returns.

use super::node::INPUT;
use super::{Network, NetworkLayer, Sequential, WeightSpec};

/// Widths between the bars, as Keras has them on a terminal of 80 columns.
const WIDTHS: [usize; 3] = [33, 24, 15];
/// The same of a model with branches, with a column for what a layer takes.
const BRANCHED_WIDTHS: [usize; 4] = [25, 18, 12, 20];

/// The table, or, where there are fewer columns than it has, a list.
pub(super) fn render(model: &Sequential, network: &Network, columns: usize) -> String {
    let widths = if network.is_branched() { &BRANCHED_WIDTHS[..] } else { &WIDTHS[..] };
    let mut text = format!("Model: \"{}\"\n", model.name);
    text += &if widths.iter().sum::<usize>() + widths.len() < columns {
        table(network, widths)
    } else {
        list(network, columns)
    };
    let (total, trainable) = (network.parameter_count(), network.trainable_count());
    let rows = [("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)];
    for (what, count) in rows {
        text += &format!(" {what} params: {} ({})\n", thousands(count), bytes(count * size_of::<f32>()));
    }
    text
}

/// What is said of a layer: its name and type, output shape, number of parameters, and the layers whose outputs it takes.
fn cells(network: &Network, layer: &NetworkLayer) -> [String; 4] {
    let dims: Vec<_> = layer.output.dims().iter().map(usize::to_string).collect();
    let parameters = layer.weights.iter().map(WeightSpec::len).sum::<usize>();
    let source = |source: &Option<usize>| source.map_or(INPUT, |at| &network.layers[at].name);
    let sources: Vec<_> = layer.sources.iter().map(source).collect();
    [
        format!("{} ({})", layer.name, layer.class()),
        format!("(None, {})", dims.join(", ")),
        thousands(parameters),
        sources.join(", "),
    ]
}

fn table(network: &Network, widths: &[usize]) -> String {
    let rule = |left: char, fill: &str, middle: char, right: char| {
        let cells: Vec<_> = widths.iter().map(|&width| fill.repeat(width)).collect();
        format!("{left}{}{right}\n", cells.join(&middle.to_string()))
    };
    let row = |cells: [&str; 4]| row(widths, cells);
    let mut text = rule('┏', "━", '┳', '┓');
    text += &row(["Layer (type)", "Output Shape", "Param #", "Connected to"]).replace('│', "┃");
    text += &rule('┡', "━", '╇', '┩');
    for (index, layer) in network.layers.iter().enumerate() {
        if index > 0 {
            text += &rule('├', "─", '┼', '┤');
        }
        text += &row(cells(network, layer).each_ref().map(String::as_str));
    }
    text + &rule('└', "─", '┴', '┘')
}

/// Two lines for each layer, with the number of parameters at the right; a third where there are branches.
fn list(network: &Network, columns: usize) -> String {
    let mut text = String::new();
    for layer in &network.layers {
        let [name, shape, parameters, sources] = cells(network, layer);
        let room = columns.saturating_sub(shape.chars().count() + 3);
        text += &format!(" {name}\n   {shape}{parameters:>room$}\n");
        if network.is_branched() {
            text += &format!("   from {sources}\n");
        }
    }
    text
}

/// A row of cells of these widths, of as many lines as the longest of them takes. The third column is aligned to the right.
fn row(widths: &[usize], cells: [&str; 4]) -> String {
    let columns: Vec<Vec<String>> =
        cells.iter().zip(widths).map(|(cell, width)| wrapped(cell, width - 2)).collect();
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for line in 0..height {
        for (at, (column, width)) in columns.iter().zip(widths).enumerate() {
            let (cell, width) = (column.get(line).map_or("", String::as_str), width - 2);
            text += &match at {
                2 => format!("│ {cell:>width$} "),
                _ => format!("│ {cell:<width$} "),
            };
        }
        text += "│\n";
    }
    text
}

/// A text in lines of at most `width` characters, cut at spaces where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let characters: Vec<char> = word.chars().collect();
        for (part, chunk) in characters.chunks(width).enumerate() {
            let chunk: String = chunk.iter().collect();
            match lines.last_mut() {
                Some(line) if line.is_empty() => *line = chunk,
                Some(line) if part == 0 && line.chars().count() + 1 + chunk.chars().count() <= width => {
                    *line += " ";
                    *line += &chunk;
                }
                _ => lines.push(chunk),
            }
        }
    }
    lines
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes in the largest binary unit that leaves at least 1, as Keras prints it.
pub(crate) fn bytes(count: usize) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for larger in ["KB", "MB", "GB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use crate::io::ModelFile;
    use crate::model::{Add, BatchNormalization, Dense, Flatten, Node, Sequential};

    #[test]
    fn the_tutorial_reads_as_in_keras() {
        let expected = "\
Model: \"tutorial\"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ conv2d (Conv2D)                 │ (None, 26, 26, 32)     │           320 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ max_pooling2d (MaxPooling2D)    │ (None, 13, 13, 32)     │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ flatten (Flatten)               │ (None, 5408)           │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 64)             │       346,176 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 10)             │           650 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 347,146 (1.32 MB)
 Trainable params: 347,146 (1.32 MB)
 Non-trainable params: 0 (0.00 B)
";
        assert_eq!(ModelFile::tutorial().unwrap().model.summary().unwrap(), expected);
    }

    #[test]
    fn long_names_are_wrapped_and_branches_say_what_they_take() {
        let model = Sequential::new([4, 4, 1])
            .add(BatchNormalization::new())
            .add(Flatten::new().name("features_of_an_unusually_long_name"))
            .add(Dense::new(2));
        let text = model.summary().unwrap();
        for line in [
            "│ batch_normalization             │",
            "│ (BatchNormalization)            │",
            "│ features_of_an_unusually_long_n │",
            "│ ame (Flatten)                   │",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(
            text.lines().filter(|line| line.starts_with('│')).all(|line| line.chars().count() == 76),
            "{text}"
        );
        let branched = Sequential::new([4, 4, 1])
            .add(Flatten::new())
            .add(Dense::new(16).name("a"))
            .add(Node::new(Add::new()).inputs(["a", "flatten"]));
        let text = branched.summary().unwrap();
        assert!(text.contains("┃ Connected to       ┃") && text.contains("│ a, flatten         │"), "{text}");
        assert!(
            text.lines().filter(|line| line.starts_with('│')).all(|line| line.chars().count() == 80),
            "{text}"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_a_list() {
        let expected = "\
Model: \"tutorial\"
 conv2d (Conv2D)
   (None, 26, 26, 32)                320
 max_pooling2d (MaxPooling2D)
   (None, 13, 13, 32)                  0
 flatten (Flatten)
   (None, 5408)                        0
 dense (Dense)
   (None, 64)                    346,176
 dense_1 (Dense)
   (None, 10)                        650
 Total params: 347,146 (1.32 MB)
 Trainable params: 347,146 (1.32 MB)
 Non-trainable params: 0 (0.00 B)
";
        let model = ModelFile::tutorial().unwrap().model;
        assert_eq!(model.summary_in(40).unwrap(), expected);
        assert_eq!(model.summary_in(75).unwrap().lines().count(), expected.lines().count());
        for columns in [76, 80, 200] {
            assert_eq!(model.summary_in(columns).unwrap(), model.summary().unwrap(), "{columns}");
        }
    }
}
