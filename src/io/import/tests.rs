use std::fs;

use safetensors::tensor::{Dtype, TensorView};

use super::*;
use crate::io::weights_to_bytes;
use crate::model::{
    Activation, ActivationLayer, Add, BatchNormalization, Concatenate, Conv2D, Conv2DTranspose, Dense,
    DepthwiseConv2D, Flatten, LayerNormalization, Multiply, Node, Reshape, SeparableConv2D, Sequential,
};

/// Name, shape, values.
type Given<'a> = (&'a str, &'a [usize], Vec<f32>);

/// The numbers from 0.
fn counted<'a>(name: &'a str, shape: &'a [usize]) -> Given<'a> {
    (name, shape, (0..shape.iter().product::<usize>()).map(|at| at as f32).collect())
}

fn file(tensors: &[Given<'_>]) -> tempfile::NamedTempFile {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), safetensors::serialize(views, None).unwrap()).unwrap();
    file
}

fn imported(model: &Sequential, tensors: &[Given<'_>], options: &Import) -> Result<Imported, ImportError> {
    import_weights(file(tensors).path(), &model.network().unwrap(), options, 5)
}

fn values(imported: &Imported, name: &str) -> Vec<f32> {
    imported.weights.get(name).unwrap().values.clone()
}

fn map(text: &str) -> Import {
    Import { map: toml::from_str(text).unwrap(), ..Import::default() }
}

fn dense(name: &str, units: usize) -> Dense {
    Dense::new(units).use_bias(false).name(name)
}

/// What an image model of PyTorch computes from `[c, h, w]` comes of the same numbers in `[h, w, c]`.
#[test]
fn features_of_images_are_sorted_wherever_they_go() {
    let [h, w, c] = [2, 3, 4];
    // Of each feature its place in [c, h, w], as PyTorch counts.
    let theirs: Vec<f32> = (0..h * w * c).map(|at| at as f32).collect();
    let mut ours = Vec::new();
    for place in 0..h * w {
        ours.extend((0..c).map(|channel| (channel * h * w + place) as f32));
    }
    let base = || Sequential::new([h, w, c]).add(Flatten::new().name("f"));
    // One unit, so that a kernel is a row of features.
    let rows: [(&str, Sequential, Vec<f32>); 5] = [
        ("behind Flatten", base().add(dense("fc", 1)), ours.clone()),
        (
            "behind Reshape",
            Sequential::new([h, w, c]).add(Reshape::new([-1])).add(dense("fc", 1)),
            ours.clone(),
        ),
        (
            "over an activation",
            base().add(ActivationLayer::new(Activation::Relu)).add(dense("fc", 1)),
            ours.clone(),
        ),
        (
            "twice in a row",
            base()
                .add(Node::new(ActivationLayer::new(Activation::Relu).name("r")).inputs(["f"]))
                .add(Node::new(Concatenate::new()).inputs(["f", "r"]))
                .add(dense("fc", 1)),
            ours.iter().copied().chain(ours.iter().map(|value| value + (h * w * c) as f32)).collect(),
        ),
        (
            "added",
            base()
                .add(Node::new(ActivationLayer::new(Activation::Relu).name("r")).inputs(["f"]))
                .add(Node::new(Add::new()).inputs(["f", "r"]))
                .add(dense("fc", 1)),
            ours.clone(),
        ),
    ];
    for (what, model, expected) in rows {
        let given: Vec<f32> = (0..expected.len()).map(|at| at as f32).collect();
        let found =
            imported(&model, &[("fc.weight", &[1, expected.len()], given)], &Import::default()).unwrap();
        assert_eq!(values(&found, "fc.kernel"), expected, "{what}");
        assert_eq!(found.taken[0].layout, "OI -> IO, I: CHW -> HWC", "{what}");
    }
    // As Keras has them they are ours.
    let found =
        imported(&base().add(dense("fc", 1)), &[("fc/kernel", &[24, 1], theirs.clone())], &Import::default());
    assert_eq!(values(&found.unwrap(), "fc.kernel"), theirs);
    // Normalization of features has their order too.
    let model = base().add(BatchNormalization::new().name("bn")).add(dense("fc", 1));
    let parts = ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "fc.weight"];
    let given: Vec<Given<'_>> = parts
        .iter()
        .map(|name| (*name, if *name == "fc.weight" { &[1, 24][..] } else { &[24] }, theirs.clone()))
        .collect();
    let found = imported(&model, &given, &Import::default()).unwrap();
    for name in ["bn.gamma", "bn.beta", "bn.moving_mean", "bn.moving_variance", "fc.kernel"] {
        assert_eq!(values(&found, name), ours, "{name}");
    }
    // Behind a layer that mixes them they are in no image's order.
    let model = base().add(dense("a", 24)).add(dense("b", 1));
    let given = [("a.weight", &[24, 24][..], vec![0.0; 576]), ("b.weight", &[1, 24], theirs.clone())];
    assert_eq!(values(&imported(&model, &given, &Import::default()).unwrap(), "b.kernel"), theirs);
}

/// Features that become an image are in an order that nothing here tells.
#[test]
fn features_that_become_an_image_are_refused() {
    let model = |shape: [i64; 3]| {
        Sequential::new([1, 1, 2])
            .add(Flatten::new())
            .add(dense("fc", 12))
            .add(ActivationLayer::new(Activation::Relu))
            .add(Reshape::new(shape))
            .add(Flatten::new())
            .add(Dense::new(2).name("out"))
    };
    let given = [counted("fc.weight", &[12, 2]), counted("out.weight", &[2, 12]), counted("out.bias", &[2])];
    let error = imported(&model([2, 2, 3]), &given, &Import::default()).unwrap_err();
    assert!(matches!(&error, ImportError::Features { layer, .. } if layer == "fc"), "{error}");
    for shape in [[1, 1, 12], [3, 4, 1]] {
        imported(&model(shape), &given, &Import::default()).unwrap();
    }
}

/// Where PyTorch would have other numbers in the place of ours, nothing is read; `fc` is the layer whose weights would be wrong.
#[test]
fn features_in_an_unknown_order_are_refused() {
    let image = || Sequential::new([2, 3, 2]).add(Flatten::new().name("f"));
    let a = || image().add(Dense::new(12).use_bias(false).name("a"));
    let conv = || Conv2D::new(1, (1, 1)).use_bias(false).name("fc");
    let rows = [
        ("added", a().add(Node::new(Add::new()).inputs(["a", "f"])).add(dense("fc", 1))),
        ("multiplied", a().add(Node::new(Multiply::new()).inputs(["f", "a"])).add(dense("fc", 1))),
        (
            "other channels",
            Sequential::new([2, 3, 2]).add(Reshape::new([4, 3, 1])).add(Flatten::new()).add(dense("fc", 1)),
        ),
        (
            "and an activation",
            Sequential::new([2, 3, 2])
                .add(Reshape::new([4, 3, 1]))
                .add(ActivationLayer::new(Activation::Relu))
                .add(conv())
                .add(Flatten::new()),
        ),
        ("channels of a flat image", image().add(Reshape::new([1, 1, 12])).add(conv()).add(Flatten::new())),
        (
            "an image of the input",
            Sequential::new([12]).add(Reshape::new([2, 2, 3])).add(conv()).add(Flatten::new()),
        ),
    ];
    for (what, model) in rows {
        let network = model.network().unwrap();
        let shapes: Vec<(String, Vec<usize>)> = network
            .layers
            .iter()
            .flat_map(|layer| layer.weights.iter().map(move |weight| (layer, weight)))
            .map(|(layer, weight)| {
                let theirs = match weight.shape[..] {
                    [h, w, i, o] => vec![o, i, h, w],
                    [i, o] => vec![o, i],
                    _ => weight.shape.clone(),
                };
                let end = if weight.shape.len() > 1 { "weight" } else { "bias" };
                (format!("{}.{end}", layer.name), theirs)
            })
            .collect();
        let given: Vec<Given<'_>> = shapes.iter().map(|(name, shape)| counted(name, shape)).collect();
        let error = imported(&model, &given, &Import::default()).unwrap_err();
        assert!(matches!(&error, ImportError::Features { layer, .. } if layer == "fc"), "{what}: {error}");
    }
    // Other sides with the same channels are the same places there.
    let model = Sequential::new([2, 3, 2]).add(Reshape::new([3, 2, 2])).add(conv()).add(Flatten::new());
    imported(&model, &[counted("fc.weight", &[1, 2, 1, 1])], &Import::default()).unwrap();
}

#[test]
fn each_layer_takes_its_tensors() {
    let model = Sequential::new([5, 5, 2])
        .add(Conv2D::new(3, (1, 2)).name("a_0"))
        .add(BatchNormalization::new().name("a_1"))
        .add(DepthwiseConv2D::new((2, 1)).depth_multiplier(2).name("b"))
        .add(Conv2DTranspose::new(4, (2, 3)).name("c"))
        .add(LayerNormalization::new().name("d"))
        .add(SeparableConv2D::new(2, (1, 2)).name("e"))
        .add(Flatten::new())
        .add(Dense::new(1).name("fc"));
    let given = [
        counted("a.0.weight", &[3, 2, 1, 2]),
        counted("a.0.bias", &[3]),
        counted("a.1.weight", &[3]),
        counted("a.1.bias", &[3]),
        counted("a.1.running_mean", &[3]),
        counted("a.1.running_var", &[3]),
        counted("a.1.num_batches_tracked", &[]),
        counted("b.weight", &[6, 1, 2, 1]),
        counted("b.bias", &[6]),
        counted("c.weight", &[6, 4, 2, 3]),
        counted("c.bias", &[4]),
        counted("d.weight", &[4]),
        counted("d.bias", &[4]),
        counted("e.depthwise.weight", &[4, 1, 1, 2]),
        counted("e.pointwise.weight", &[2, 4, 1, 1]),
        counted("e.pointwise.bias", &[2]),
        counted("fc.weight", &[1, 50]),
        counted("fc.bias", &[1]),
    ];
    let found = imported(&model, &given, &Import::default()).unwrap();
    assert_eq!(found.taken.len(), given.len() - 1);
    assert_eq!(found.left_out, Vec::<String>::new());
    // (weight, where in it, which of theirs it is)
    let rows = [
        ("a_0.kernel", [0, 1, 1, 2], [2, 1, 0, 1]),
        ("b.kernel", [1, 0, 2, 1], [5, 0, 1, 0]),
        ("c.kernel", [1, 2, 3, 5], [5, 3, 1, 2]),
        ("e.depthwise_kernel", [0, 1, 3, 0], [3, 0, 0, 1]),
        ("e.pointwise_kernel", [0, 0, 3, 1], [1, 3, 0, 0]),
    ];
    let at = |shape: &[usize], place: [usize; 4]| {
        shape.iter().zip(place).fold(0, |at, (size, one)| at * size + one)
    };
    for (name, ours, theirs) in rows {
        let taken = found.taken.iter().find(|taken| taken.ours == name).unwrap();
        let value = values(&found, name)[at(&taken.shape, ours)];
        assert_eq!(value, at(&taken.their_shape, theirs) as f32, "{name}");
    }
    assert_eq!(values(&found, "d.beta"), [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn names_are_given_by_a_map() {
    let model = Sequential::new([1, 1, 2]).add(Flatten::new()).add(dense("a", 3)).add(dense("b", 2));
    let [a, b] = [counted("x.weight", &[3, 2]), counted("a.weight", &[2, 3])];
    // What the map gives away is nobody else's by its name.
    let swapped = map("[names]\na = 'x'\nb = 'a'");
    let found = imported(&model, &[a.clone(), b.clone()], &swapped).unwrap();
    assert_eq!(values(&found, "a.kernel"), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(values(&found, "b.kernel"), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    let prefixed = [counted("net.a.weight", &[3, 2]), counted("net.b.weight", &[2, 3])];
    assert_eq!(imported(&model, &prefixed, &map("prefix = 'net.'")).unwrap().taken.len(), 2);
    let error = imported(&model, &prefixed, &map("prefix = 'nett.'")).unwrap_err().to_string();
    assert!(error.starts_with("prefix names `nett.`, but no tensor"), "{error}");
    let laid = "[names]\n'a.kernel' = { name = 'w1', layout = 'pytorch' }\n'b.kernel' = { name = 'w2', layout = 'keras' }";
    let tensors = [counted("w1", &[3, 2]), counted("w2", &[3, 2])];
    let found = imported(&model, &tensors, &map(laid)).unwrap();
    assert_eq!(values(&found, "a.kernel"), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(values(&found, "b.kernel"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let wrong = [
        ("[names]\na = 'y'", "names `y`, but the file has no such module"),
        (
            "[names]\n'a.kernel' = 'x.weigth'",
            "names `x.weigth`, but the file has no such tensor; did you mean `x.weight`?",
        ),
        ("[names]\nb1 = 'a'", "names `b1`, but the model has no such layer or weight"),
        (
            "[names]\na = 'x'\n'b.kernel' = 'x.weight'",
            "tensor `x.weight` fits both `a.kernel` and `b.kernel`",
        ),
    ];
    for (text, expected) in wrong {
        let error = imported(&model, &[a.clone(), b.clone()], &map(text)).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {expected:?} is missing from {error}");
    }
    let unsaid =
        imported(&model, &tensors, &map("[names]\n'a.kernel' = 'w1'\n'b.kernel' = 'w2'")).unwrap_err();
    assert!(matches!(unsaid, ImportError::Layout { .. }), "{unsaid}");
}

#[test]
fn what_does_not_fit_is_named_on_both_sides() {
    let model =
        Sequential::new([1, 1, 2]).add(Flatten::new()).add(dense("a", 3)).add(Dense::new(2).name("fc"));
    let a = || counted("a.weight", &[3, 2]);
    let options = |fresh: &[&str], ignore: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Import { fresh: owned(fresh), ignore: owned(ignore), ..Import::default() }
    };
    let wide = || vec![a(), counted("fc.weight", &[10, 3]), counted("fc.bias", &[10])];
    let rows: [(Vec<Given<'_>>, Import, &[&str]); 9] = [
        (
            wide(),
            options(&[], &[]),
            &["`fc.weight` has shape [10, 3]", "`fc.kernel` of shape [3, 2] needs [2, 3]", "layer `fc`"],
        ),
        (
            vec![a(), counted("fc.weight", &[2, 3]), counted("head.bias", &[2])],
            options(&[], &[]),
            &["no tensor in the file is `fc.bias` [2]", "no weight of the model is `head.bias` [2]"],
        ),
        (vec![a()], options(&[], &[]), &["`fc.kernel` [3, 2], `fc.bias` [2]", "`fresh`"]),
        (
            wide(),
            options(&["fcc"], &[]),
            &["fresh names `fcc`, but the model has no such layer; did you mean `fc`?"],
        ),
        (wide(), options(&["flatten"], &[]), &["that layer has no weights"]),
        (wide(), options(&[], &["f"]), &["ignore names `f`, but the file has no such tensor or module"]),
        (wide(), options(&[], &["fc"]), &["no tensor in the file is `fc.kernel`"]),
        (
            vec![a(), counted("a/kernel", &[2, 3])],
            options(&["fc"], &[]),
            &["both `", "fit `a.kernel`", "[names]", "`ignore`"],
        ),
        (vec![("a.weight", &[3, 2], vec![f32::NAN; 6])], options(&["fc"], &[]), &["`a.kernel` holds NaN"]),
    ];
    for (tensors, options, expected) in rows {
        let error = imported(&model, &tensors, &options).unwrap_err().to_string();
        for text in expected {
            assert!(error.contains(text), "{text:?} is missing from {error}");
        }
    }
    // A layer that begins anew does so whatever the file has of it, with what it starts with for the seed.
    let initial = model.network().unwrap().initial_weights(5);
    for tensors in [wide(), vec![a()]] {
        let found = imported(&model, &tensors, &options(&["fc"], &[])).unwrap();
        assert_eq!(found.weights.get("fc.kernel"), initial.get("fc.kernel"));
        assert_eq!(values(&found, "a.kernel"), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        assert_eq!(found.left_out.len(), tensors.len() - 1);
    }
    let found = imported(&model, &wide(), &options(&["fc"], &["fc"])).unwrap();
    assert_eq!(
        found.left_out,
        ["fc.weight", "fc.bias"].map(str::to_owned).as_slice().iter().rev().cloned().collect::<Vec<_>>()
    );
}

/// Files of this crate are read as they always were, and their tensors may be taken one by one.
#[test]
fn our_own_files_are_read_as_ever() {
    let model =
        Sequential::new([1, 1, 2]).add(Flatten::new()).add(dense("a", 3)).add(Dense::new(2).name("fc"));
    let network = model.network().unwrap();
    let weights = network.initial_weights(1);
    let place = tempfile::NamedTempFile::new().unwrap();
    let mut bytes = weights_to_bytes(&weights, &Default::default()).unwrap();
    fs::write(place.path(), &bytes).unwrap();
    let all = import_weights(place.path(), &network, &Import::default(), 2).unwrap();
    assert_eq!(all.weights, weights);
    assert!(all.taken.iter().all(|taken| taken.layout == "as it is"));
    let fresh = Import { fresh: vec!["fc".to_owned()], ..Import::default() };
    let part = import_weights(place.path(), &network, &fresh, 2).unwrap();
    assert_eq!(part.weights.get("a.kernel"), weights.get("a.kernel"));
    assert_ne!(part.weights.get("fc.kernel"), weights.get("fc.kernel"));
    // A bit that fell over is noticed by the checksum.
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(place.path(), &bytes).unwrap();
    let error = import_weights(place.path(), &network, &Import::default(), 2).unwrap_err();
    assert!(matches!(error, ImportError::File(WeightFileError::Checksum { .. })), "{error}");
}
