//! One `[[layers]]` table: its layer, and what is said of one that cannot be read.

use toml::{Table, Value};

use crate::model::{Activation, Layer, Node, nearest, unknown_name, with_suggestion};

/// The keys of every layer that are not its own. They stand before those of the layer where keys are listed.
const OF_EVERY_LAYER: [&str; 3] = ["type", "inputs", "trainable"];

/// Keys that hold a word, with such a word.
const WORDS: [(&str, &str); 5] = [
    ("activation", "relu"),
    ("padding", "same"),
    ("mode", "horizontal"),
    ("fill_mode", "reflect"),
    ("interpolation", "bilinear"),
];

/// Settings of Keras that are called otherwise here, or that another layer has.
const ELSEWHERE: [(&str, &str, &str); 5] = [
    ("LeakyReLU", "alpha", "it is called `negative_slope`"),
    (
        "ReLU",
        "max_value",
        "6 is that of type = \"Activation\" with activation = \"relu6\"; there is no other",
    ),
    ("ReLU", "negative_slope", "it is a setting of type = \"LeakyReLU\""),
    ("ReLU", "alpha", "it is the `negative_slope` of type = \"LeakyReLU\""),
    ("ReLU", "threshold", "there is none but 0"),
];

/// The layer of a table, by its `type`.
pub(super) fn parse(mut table: Table) -> Result<Node, String> {
    let class = match table.remove("type") {
        Some(Value::String(class)) => class,
        Some(other) => return Err(format!("type is {other}, but must be a text such as \"Dense\"")),
        None => return Err(no_type(&table)),
    };
    let inputs = match table.remove("inputs") {
        None => Vec::new(),
        Some(inputs) => inputs.try_into().map_err(|_| {
            format!("({class}) inputs must be a list of names of layers, such as [\"conv2d\", \"input\"]")
        })?,
    };
    let trainable = match table.remove("trainable") {
        None => true,
        Some(Value::Boolean(trainable)) => trainable,
        Some(other) => return Err(format!("({class}) trainable is {other}, but must be true or false")),
    };
    let layer = Layer::parse(&class, table.clone()).ok_or_else(|| {
        format!("unknown type `{class}`; there are {}{}", Layer::CLASSES.join(", "), class_hint(&class))
    })?;
    let layer =
        layer.map_err(|error| format!("({class}) {}", problem(&class, &table, &error.to_string())))?;
    Ok(Node { layer, inputs, trainable })
}

/// What is said where no `type` is: with the key that may have been meant for it.
fn no_type(table: &Table) -> String {
    let is_meant = |key: &&String| nearest(key, ["type"]).is_some();
    let hint = table
        .keys()
        .find(is_meant)
        .map_or(String::new(), |key| format!(", but `{key}`; did you mean `type`?"));
    format!("it has no `type`, such as \"Dense\"{hint}")
}

/// What to take in place of a class that is not there.
fn class_hint(class: &str) -> String {
    let word = class.to_lowercase().replace('_', "");
    let names = Activation::ALL.iter().map(|activation| activation.name()).chain(["swish", "hard_swish"]);
    let activation = names.into_iter().find(|name| name.replace('_', "") == word);
    let ends = |ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
    if let Some(name) = activation {
        return format!("; `{name}` is type = \"Activation\" with activation = \"{name}\"");
    }
    let stays_out = match () {
        () if ends(&[
            "lstm",
            "lstmcell",
            "gru",
            "grucell",
            "rnn",
            "rnncell",
            "lstm1d",
            "lstm2d",
            "lstm3d",
            "bidirectional",
        ]) =>
        {
            "recurrent layers"
        }
        () if ends(&["attention"]) => "attention layers",
        () if ends(&["1d", "3d"]) => "1-D and 3-D layers",
        () if ends(&["embedding", "textvectorization", "stringlookup"]) => "layers for text",
        () => {
            let near = nearest(class, Layer::CLASSES.iter().copied());
            return near.map_or(String::new(), |class| format!("; did you mean `{class}`?"));
        }
    };
    format!("; {stays_out} are left out on purpose: models see images or rows of numbers")
}

/// What is wrong with the settings of a layer, from what serde says of them.
fn problem(class: &str, table: &Table, message: &str) -> String {
    if let Some((key, known)) = unknown_name(message, "unknown field").filter(|(key, known)| {
        // A table within has keys of its own, and no name.
        table.contains_key(*key) && known.first() == Some(&"name")
    }) {
        let known: Vec<&str> = OF_EVERY_LAYER.into_iter().chain(known).collect();
        let list: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
        let elsewhere = ELSEWHERE.iter().find(|(of, name, _)| (*of, *name) == (class, key));
        let hint = match (elsewhere, nearest(key, known)) {
            (Some((_, _, hint)), _) => format!("; {hint}"),
            (None, Some(near)) => format!("; did you mean `{near}`?"),
            (None, None) => String::new(),
        };
        return format!("unknown field `{key}`, expected one of {}{hint}", list.join(", "));
    }
    // Serde speaks of its own types where a word should stand.
    let is_of_words = message.contains("unit variant") || message.contains("wanted exactly 1 element");
    let wrong = WORDS.iter().find_map(|(key, word)| {
        let value = table.get(*key).filter(|value| is_of_words && !value.is_str())?;
        Some((key, word, value))
    });
    match wrong {
        Some((key, word, value)) => {
            let hint = match value {
                Value::Table(_) if *key == "activation" => {
                    "; a slope is a setting of the layer LeakyReLU, type = \"LeakyReLU\" with negative_slope"
                }
                _ => "",
            };
            format!("{key} must be a text such as \"{word}\", but is {value}{hint}")
        }
        None => with_suggestion(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        let rows = [
            ("units = 3", "it has no `type`, such as \"Dense\""),
            ("tpye = \"Flatten\"", "it has no `type`, such as \"Dense\", but `tpye`; did you mean `type`?"),
            ("type = 3", "type is 3, but must be a text"),
            ("type = \"Flatt\"", "did you mean `Flatten`?"),
            ("type = \"LSTM\"", "recurrent layers are left out on purpose"),
            ("type = \"SimpleRNN\"", "recurrent layers are left out on purpose"),
            ("type = \"ConvLSTM2D\"", "recurrent layers are left out on purpose"),
            ("type = \"MultiHeadAttention\"", "attention layers are left out on purpose"),
            ("type = \"Conv1D\"", "1-D and 3-D layers are left out on purpose"),
            ("type = \"MaxPooling3D\"", "1-D and 3-D layers are left out on purpose"),
            ("type = \"Embedding\"", "layers for text are left out on purpose"),
            ("type = \"GELU\"", "`gelu` is type = \"Activation\" with activation = \"gelu\""),
            ("type = \"ELU\"", "with activation = \"elu\""),
            ("type = \"ReLU6\"", "with activation = \"relu6\""),
            ("type = \"HardSwish\"", "with activation = \"hard_swish\""),
            (
                "type = \"Flatten\"\ntrainble = false",
                "expected one of `type`, `inputs`, `trainable`, `name`; did you mean `trainable`?",
            ),
            ("type = \"Flatten\"\ninput = [\"f\"]", "did you mean `inputs`?"),
            ("type = \"Dense\"\nunits = 3\nunit = 3", "`units`, "),
            (
                "type = \"Dense\"\nunits = 3\nkernel_regularizer = { l3 = 1.0 }",
                "unknown field `l3`, expected `l1` or `l2`",
            ),
            ("type = \"LeakyReLU\"\nalpha = 0.1", "it is called `negative_slope`"),
            ("type = \"ReLU\"\nmax_value = 6", "activation = \"relu6\""),
            ("type = \"ReLU\"\nnegative_slope = 0.1", "it is a setting of type = \"LeakyReLU\""),
            (
                "type = \"Dense\"\nunits = 3\nactivation = 3",
                "activation must be a text such as \"relu\", but is 3",
            ),
            (
                "type = \"Activation\"\nactivation = [\"relu\"]",
                "activation must be a text such as \"relu\", but is [\"relu\"]",
            ),
            (
                "type = \"Dense\"\nunits = 3\nactivation = { name = \"leaky_relu\", negative_slope = 0.1 }",
                "a slope is a setting of the layer LeakyReLU",
            ),
            (
                "type = \"Conv2D\"\nfilters = 3\nkernel_size = 3\npadding = 1",
                "padding must be a text such as \"same\", but is 1",
            ),
            ("type = \"RandomFlip\"\nmode = 1", "mode must be a text such as \"horizontal\", but is 1"),
            ("type = \"Dense\"\nunits = 3\nactivation = \"rellu\"", "did you mean `relu`?"),
        ];
        for (text, expected) in rows {
            let found = parse(text.parse().unwrap());
            assert!(found.as_ref().is_err_and(|message| message.contains(expected)), "{text}: {found:?}");
        }
    }

    #[test]
    fn words_are_those_that_layers_take() {
        let layers = [
            ("Dense\"\nunits = 1", "activation"),
            ("Conv2D\"\nfilters = 1\nkernel_size = 1", "padding"),
            ("RandomFlip\"", "mode"),
            ("RandomTranslation\"\nheight_factor = 0.1\nwidth_factor = 0.1", "fill_mode"),
            ("RandomTranslation\"\nheight_factor = 0.1\nwidth_factor = 0.1", "interpolation"),
        ];
        for ((key, word), (layer, of)) in WORDS.into_iter().zip(layers) {
            let text = format!("type = \"{layer}\n{key} = \"{word}\"");
            assert_eq!(key, of);
            assert!(parse(text.parse().unwrap()).is_ok(), "{text}");
        }
    }
}
