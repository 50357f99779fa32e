//! Names of layers, and which layer takes what which other gives.

use std::collections::{HashMap, HashSet};

use super::node::INPUT;
use super::suggest::nearest;
use super::{ModelError, Node, Sequential};

/// Given names, or `stem`, `stem_1`, ... by class, counted as Keras counts.
pub(super) fn default_names(layers: &[Node]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::new();
    for Node { layer, .. } in layers {
        let count = counts.entry(layer.stem()).or_default();
        names.push(match (layer.given_name(), *count) {
            (Some(name), _) => name.to_owned(),
            (None, 0) => layer.stem().to_owned(),
            (None, n) => format!("{}_{n}", layer.stem()),
        });
        *count += usize::from(layer.given_name().is_none());
    }
    names
}

/// The names of the layers of a model.
///
/// # Errors
/// When a name cannot be, or is there twice.
pub(super) fn layer_names(model: &Sequential) -> Result<Vec<String>, ModelError> {
    let names = default_names(&model.layers);
    let named = model.layers.iter().any(|node| !node.inputs.is_empty());
    let mut seen = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        let problem = if name.is_empty() || name.contains(['.', '/']) || name.contains(char::is_whitespace) {
            "a name must not be empty nor contain `.`, `/` or white space"
        } else if named && name == INPUT {
            "`input` is the model's input, which other layers name; give this one a different `name`"
        } else if !seen.insert(name) {
            "another layer has the same name; give one of them a different `name`"
        } else {
            continue;
        };
        return Err(fail(model, &names, index, problem.to_owned()));
    }
    Ok(names)
}

/// Where the inputs of each layer come from: layers before it, or `None` for the model's input.
///
/// # Errors
/// When a layer names one that is not there or comes later, or when nothing takes what a layer gives.
pub(super) fn sources(model: &Sequential, names: &[String]) -> Result<Vec<Vec<Option<usize>>>, ModelError> {
    let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    let mut read = vec![false; names.len()];
    let mut all = Vec::new();
    for (index, node) in model.layers.iter().enumerate() {
        let source = |name: &String| match places.get(name.as_str()) {
            Some(&at) if at < index => Ok(Some(at)),
            Some(&at) => Err(fail(model, names, index, too_late(model, &places, index, at, name))),
            None if name == INPUT => Ok(None),
            None => Err(fail(model, names, index, unknown(name, names))),
        };
        let sources = match node.inputs.is_empty() {
            true => vec![index.checked_sub(1)],
            false => node.inputs.iter().map(source).collect::<Result<Vec<_>, _>>()?,
        };
        sources.iter().flatten().for_each(|&at| read[at] = true);
        all.push(sources);
    }
    read.pop();
    match read.iter().position(|read| !read) {
        None => Ok(all),
        Some(unused) => Err(fail(
            model,
            names,
            unused,
            "no layer uses its output; remove it, or name it in the `inputs` of another layer".to_owned(),
        )),
    }
}

/// Why a layer cannot take what this one gives, which is not before it.
fn too_late(
    model: &Sequential,
    places: &HashMap<&str, usize>,
    index: usize,
    at: usize,
    name: &str,
) -> String {
    // Which layers the other one needs, over whatever lies between.
    let (mut needed, mut seen) = (vec![at], HashSet::new());
    while let Some(next) = needed.pop() {
        if next == index {
            return format!("it uses the output of `{name}`, which itself depends on this layer: a cycle");
        }
        if !seen.insert(next) {
            continue;
        }
        match model.layers[next].inputs.as_slice() {
            [] => needed.extend(next.checked_sub(1)),
            inputs => needed.extend(inputs.iter().filter_map(|input| places.get(input.as_str()))),
        }
    }
    format!(
        "it uses the output of `{name}`, which comes after it; list layers in the order in which they are computed"
    )
}

fn unknown(name: &str, names: &[String]) -> String {
    let known = names.iter().map(String::as_str).chain([INPUT]);
    let hint = nearest(name, known).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    format!("`inputs` names `{name}`, but there is no such layer{hint}")
}

fn fail(model: &Sequential, names: &[String], index: usize, problem: String) -> ModelError {
    let class = model.layers[index].layer.class();
    ModelError::Layer { index, layer: names[index].clone(), class, problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Add, Dense, Flatten};

    #[test]
    fn wrong_wirings_name_the_layer() {
        let dense =
            |name: &str, inputs: &[&str]| Node::new(Dense::new(3).name(name)).inputs(inputs.iter().copied());
        let base = || Sequential::new([2, 2, 1]).add(Flatten::new());
        // (model, part of the message)
        let rows = [
            (
                base().add(dense("a", &["flaten"])),
                "layer 1 `a` (Dense): `inputs` names `flaten`, but there is no such layer; did you mean `flatten`?",
            ),
            (
                base().add(dense("a", &["b"])).add(dense("b", &["flatten"])),
                "layer 1 `a` (Dense): it uses the output of `b`, which comes after it",
            ),
            (
                base().add(dense("a", &["b"])).add(dense("b", &["a"])),
                "which itself depends on this layer: a cycle",
            ),
            (
                base().add(dense("a", &["a"])),
                "the output of `a`, which itself depends on this layer: a cycle",
            ),
            (
                base().add(dense("a", &["flatten"])).add(dense("b", &["flatten"])),
                "layer 1 `a` (Dense): no layer uses its output",
            ),
            (base().add(dense("a", &["flatten", "flatten"])), "it takes one input, but gets 2"),
            (
                base().add(dense("a", &["flatten"])).add(Node::new(Add::new()).inputs(["a", "flatten"])),
                "layer 2 `add` (Add): its inputs must be of one shape, or 1 where others are larger, but are [3] and [4]",
            ),
            (base().add(Add::new()), "it takes two inputs or more, but gets 1"),
            (base().add(dense("input", &["flatten"])), "`input` is the model's input"),
        ];
        for (model, expected) in rows {
            let message = model.network().unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
        let model = base().add(dense("a", &["flatten"])).add(Node::new(Add::new()).inputs(["a", "a"]));
        let network = model.network().unwrap();
        assert_eq!(network.layers[2].sources, [Some(1), Some(1)]);
        assert_eq!(network.layers[0].sources, [None]);
    }
}
