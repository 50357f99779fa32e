//! Which tensor of a file is which weight.

use std::collections::{HashMap, HashSet};

use super::map::{AxisOrder, Import, NameMap};
use crate::error::ImportError;
use crate::io::header::Tensor;
use crate::layers::kit::{Axes, OfTorch};
use crate::model::{Network, NetworkLayer, WeightSpec, nearest};

/// What PyTorch counts and nothing reads.
const COUNTED: &str = "num_batches_tracked";
/// What stands between the parts of somebody else's names: PyTorch's, and those of Keras's paths.
const BETWEEN: [char; 2] = ['.', '/'];

/// A weight with the tensor that it is taken from.
pub(super) struct Match<'a> {
    pub(super) layer: &'a NetworkLayer,
    pub(super) spec: &'a WeightSpec,
    /// Number of the tensor in the file.
    pub(super) tensor: usize,
    /// How its axes lie.
    pub(super) axes: Axes,
    /// Whose order they have; `None` where nothing says it.
    pub(super) order: Option<AxisOrder>,
}

/// The weights and tensors of a model and of a file.
pub(super) struct Matching<'a> {
    pub(super) matches: Vec<Match<'a>>,
    /// Weights without a tensor.
    pub(super) missing: Vec<&'a WeightSpec>,
    /// Tensors without a weight.
    pub(super) unused: Vec<usize>,
    /// Tensors that were to be left out, beside what PyTorch counts.
    pub(super) left_out: Vec<usize>,
}

/// A name that a weight may have in a file.
struct Form {
    name: String,
    axes: Axes,
    order: Option<AxisOrder>,
}

/// The tensors of a file by their names.
struct Theirs<'a> {
    tensors: &'a [Tensor],
    /// What is cut off their names.
    prefix: &'a str,
    /// Those that may be taken, by their names with one sign between all parts.
    by_plain: HashMap<String, Vec<usize>>,
}

/// Finds the tensor of each weight.
///
/// # Errors
/// When a name in the options stands for nothing, or more than one tensor fits a weight; `file` names the file.
pub(super) fn matched<'a>(
    file: &str,
    tensors: &'a [Tensor],
    network: &'a Network,
    options: &Import,
) -> Result<Matching<'a>, ImportError> {
    check_layers(network, options)?;
    let mut left_out = ignored(tensors, options)?;
    let prefix = &options.map.prefix;
    if !prefix.is_empty() && !tensors.iter().any(|tensor| tensor.name.starts_with(prefix)) {
        let problem = "no tensor in the file has a name that begins with it".to_owned();
        return Err(ImportError::Unknown { what: "prefix", name: prefix.clone(), problem });
    }
    let theirs = Theirs::new(tensors, prefix, &left_out);
    let ambiguous = |problem| ImportError::Ambiguous { file: file.to_owned(), problem };
    let (mut matches, mut missing) = (Vec::new(), Vec::new());
    let mut used: HashMap<usize, &WeightSpec> = HashMap::new();
    for (layer, spec) in network.layers.iter().flat_map(|layer| layer.weights.iter().map(move |w| (layer, w)))
    {
        let found = theirs.found(layer, spec, &options.map)?;
        if options.fresh.contains(&layer.name) {
            left_out.extend(found.iter().map(|(tensor, _)| *tensor));
            continue;
        }
        match found.as_slice() {
            [] if spec.given.is_some() => {}
            [] => missing.push(spec),
            [(tensor, form)] => {
                if let Some(other) = used.insert(*tensor, spec) {
                    let name = &tensors[*tensor].name;
                    return Err(ambiguous(format!(
                        "tensor `{name}` fits both `{}` and `{}`",
                        other.name, spec.name
                    )));
                }
                matches.push(Match { layer, spec, tensor: *tensor, axes: form.axes, order: form.order });
            }
            [(one, _), (other, _), ..] => {
                let [one, other] = [one, other].map(|&at| &tensors[at].name);
                return Err(ambiguous(format!("both `{one}` and `{other}` fit `{}`", spec.name)));
            }
        }
    }
    let left: HashSet<usize> = left_out.iter().copied().collect();
    let is_unused = |at: &usize| !used.contains_key(at) && !left.contains(at);
    let unused = (0..tensors.len()).filter(is_unused).collect();
    left_out.retain(|&at| !is_counted(&tensors[at].name));
    left_out.sort_unstable();
    left_out.dedup();
    Ok(Matching { matches, missing, unused, left_out })
}

/// Refuses names of layers and weights that the model does not have.
fn check_layers(network: &Network, options: &Import) -> Result<(), ImportError> {
    let layers: Vec<&str> = network.layers.iter().map(|layer| layer.name.as_str()).collect();
    let weights: Vec<&str> = network.weights().map(|weight| weight.name.as_str()).collect();
    let unknown = |what, name: &String, problem: String| {
        Err(ImportError::Unknown { what, name: name.clone(), problem })
    };
    for name in &options.fresh {
        match network.layers.iter().find(|layer| layer.name == *name) {
            Some(layer) if layer.weights.is_empty() => {
                return unknown("fresh", name, "that layer has no weights".to_owned());
            }
            Some(_) => {}
            None => {
                let nearest = nearest_of(name, layers.iter().copied());
                return unknown("fresh", name, format!("the model has no such layer{nearest}"));
            }
        }
    }
    let known = |name: &&String| !layers.contains(&name.as_str()) && !weights.contains(&name.as_str());
    match options.map.names.keys().find(known) {
        None => Ok(()),
        Some(name) => {
            let nearest = nearest_of(name, layers.iter().chain(&weights).copied());
            unknown("[names]", name, format!("the model has no such layer or weight{nearest}"))
        }
    }
}

/// The tensors that are to be left out: those that PyTorch counts in, and those that were named, by themselves or as a module.
fn ignored(tensors: &[Tensor], options: &Import) -> Result<Vec<usize>, ImportError> {
    let numbered = || tensors.iter().map(|tensor| tensor.name.as_str()).enumerate();
    let mut found: Vec<usize> = numbered().filter(|(_, name)| is_counted(name)).map(|(at, _)| at).collect();
    for ignored in &options.ignore {
        let is_meant = |name: &str| {
            let cut = name.strip_prefix(&options.map.prefix).unwrap_or(name);
            is_within(name, ignored) || is_within(cut, ignored)
        };
        let before = found.len();
        found.extend(numbered().filter(|(_, name)| is_meant(name)).map(|(at, _)| at));
        if found.len() == before {
            let nearest = nearest_of(ignored, numbered().map(|(_, name)| name));
            let problem = format!("the file has no such tensor or module{nearest}");
            return Err(ImportError::Unknown { what: "ignore", name: ignored.clone(), problem });
        }
    }
    Ok(found)
}

fn is_counted(name: &str) -> bool {
    name.rsplit(BETWEEN).next() == Some(COUNTED)
}

/// Whether a tensor has this name, or is of the module of this name.
fn is_within(tensor: &str, name: &str) -> bool {
    tensor.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(BETWEEN))
}

/// A name with one sign between its parts: `layer1.0.conv1` is `layer1_0_conv1`.
fn plain(name: &str) -> String {
    name.replace(BETWEEN, "_")
}

impl<'a> Theirs<'a> {
    fn new(tensors: &'a [Tensor], prefix: &'a str, left_out: &[usize]) -> Self {
        let left: HashSet<usize> = left_out.iter().copied().collect();
        let mut theirs = Theirs { tensors, prefix, by_plain: HashMap::new() };
        for at in (0..tensors.len()).filter(|at| !left.contains(at)) {
            theirs.by_plain.entry(plain(theirs.cut(at))).or_default().push(at);
        }
        theirs
    }

    /// The name of a tensor without the prefix.
    fn cut(&self, at: usize) -> &'a str {
        let name = self.tensors[at].name.as_str();
        name.strip_prefix(self.prefix).unwrap_or(name)
    }

    /// The tensors of this name; where one has exactly this name, that one.
    fn named(&self, name: &str) -> Vec<usize> {
        let found = self.by_plain.get(&plain(name)).cloned().unwrap_or_default();
        let exact = found.iter().copied().find(|&at| self.cut(at) == name);
        exact.map_or(found, |at| vec![at])
    }

    /// The tensors that fit a weight, none of them twice.
    fn found(
        &self,
        layer: &NetworkLayer,
        spec: &WeightSpec,
        map: &NameMap,
    ) -> Result<Vec<(usize, Form)>, ImportError> {
        let unknown = |name: &str, what: &str| {
            let nearest = nearest_of(name, self.tensors.iter().map(|tensor| tensor.name.as_str()));
            let problem = format!("the file has no such {what}{nearest}");
            ImportError::Unknown { what: "[names]", name: name.to_owned(), problem }
        };
        let own = spec.name.strip_prefix(&layer.name).map_or("", |rest| rest.trim_start_matches('.'));
        let of_torch = layer.layer.of_torch().iter().find(|row| row.ours == own);
        if let Some(given) = map.names.get(&spec.name) {
            let found = self.named(given.name());
            if found.is_empty() {
                return Err(unknown(given.name(), "tensor"));
            }
            let order = given.order().or_else(|| order_of(given.name(), own, of_torch));
            return Ok(found.into_iter().map(|at| (at, form(given.name(), of_torch, order))).collect());
        }
        let of_layer = map.names.get(&layer.name);
        let module = of_layer.map_or(layer.name.as_str(), |given| given.name());
        if of_layer.is_some() && !self.by_plain.keys().any(|name| name.starts_with(&(plain(module) + "_"))) {
            return Err(unknown(module, "module"));
        }
        let keras = Some(form(&format!("{module}.{own}"), of_torch, Some(AxisOrder::Keras)));
        let torch =
            of_torch.map(|row| form(&format!("{module}.{}", row.theirs), of_torch, Some(AxisOrder::PyTorch)));
        let mut found: Vec<(usize, Form)> = Vec::new();
        for form in keras.into_iter().chain(torch) {
            let order = of_layer.and_then(|given| given.order()).or(form.order);
            for at in self.named(&form.name) {
                let is_new = found.iter().all(|(other, _)| *other != at);
                if is_new && (of_layer.is_some() || !self.is_claimed(at, map)) {
                    found.push((at, self::form(&form.name, of_torch, order)));
                }
            }
        }
        Ok(found)
    }

    /// Whether the map gives a tensor to some weight, so that its name says nothing.
    fn is_claimed(&self, at: usize, map: &NameMap) -> bool {
        map.names.values().any(|given| is_within(self.cut(at), given.name()))
    }
}

fn form(name: &str, of_torch: Option<&OfTorch>, order: Option<AxisOrder>) -> Form {
    let axes = match (order, of_torch) {
        (Some(AxisOrder::Keras), _) | (_, None) => Axes::Same,
        (_, Some(row)) => row.axes,
    };
    Form { name: name.to_owned(), axes, order }
}

/// Whose order the axes of a tensor have, by the last part of its name.
fn order_of(name: &str, own: &str, of_torch: Option<&OfTorch>) -> Option<AxisOrder> {
    let last = name.rsplit(BETWEEN).next();
    let theirs = of_torch.and_then(|row| row.theirs.rsplit(BETWEEN).next());
    match last {
        _ if last == Some(own) => Some(AxisOrder::Keras),
        Some(_) if last == theirs => Some(AxisOrder::PyTorch),
        _ => None,
    }
}

/// A question for the nearest of the known names, if one is near.
fn nearest_of<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}
