//! The table that `summary` returns.

use super::{Network, Sequential, WeightSpec};

/// Widths between the bars, as Keras has them on a terminal of 80 columns.
const WIDTHS: [usize; 3] = [33, 24, 15];

pub(super) fn render(model: &Sequential, network: &Network) -> String {
    let rule = |left: char, fill: &str, middle: char, right: char| {
        let cells: Vec<_> = WIDTHS.iter().map(|&width| fill.repeat(width)).collect();
        format!("{left}{}{right}\n", cells.join(&middle.to_string()))
    };
    let row = |[layer, shape, parameters]: [&str; 3]| {
        let [a, b, c] = WIDTHS.map(|width| width - 2);
        format!("│ {layer:<a$} │ {shape:<b$} │ {parameters:>c$} │\n")
    };
    let mut text = format!("Model: \"{}\"\n", model.name);
    text += &rule('┏', "━", '┳', '┓');
    text += &row(["Layer (type)", "Output Shape", "Param #"]).replace('│', "┃");
    text += &rule('┡', "━", '╇', '┩');
    for (index, layer) in network.layers.iter().enumerate() {
        if index > 0 {
            text += &rule('├', "─", '┼', '┤');
        }
        let dims: Vec<_> = layer.output.dims().iter().map(usize::to_string).collect();
        let parameters = layer.weights.iter().map(WeightSpec::len).sum::<usize>();
        text += &row([
            &format!("{} ({})", layer.name, layer.class()),
            &format!("(None, {})", dims.join(", ")),
            &thousands(parameters),
        ]);
    }
    text += &rule('└', "─", '┴', '┘');
    let (total, trainable) = (network.parameter_count(), network.trainable_count());
    let rows = [("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)];
    for (what, count) in rows {
        text += &format!(" {what} params: {} ({})\n", thousands(count), bytes(count * size_of::<f32>()));
    }
    text
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
}
