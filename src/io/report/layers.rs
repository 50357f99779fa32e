//! The filters of a network, and the outputs of its layers for a sample.

use std::ops::ControlFlow;

use super::error::ReportError;
use super::images::{Image, Scale, tiles};
use crate::cpu::CpuExecutor;
use crate::data::Dataset;
use crate::error::Error;
use crate::executor::{DataSlot, Executor, Pass};
use crate::io::SavedRun;
use crate::model::Shape;
use crate::plan::{Access, BatchParams, Dtype, Phase, Plan, Stage};
use crate::train::write_weights;

/// Tiles in a row, and values in a row where a layer has no maps.
const TILES_IN_A_ROW: usize = 8;
const VALUES_IN_A_ROW: usize = 32;
/// Screen pixels for a weight, for a value of a map, and for a value by itself.
const WEIGHT_ZOOM: usize = 12;
const MAP_ZOOM: usize = 2;
const VALUE_ZOOM: usize = 14;
/// The most tiles that are shown of a layer.
const MOST_TILES: usize = 64;
const MOST_VALUES: usize = 1024;
/// The most values of all tiles of a layer together, beyond the first few tiles.
const MOST_PIXELS: usize = MOST_TILES * 56 * 56;
const LEAST_TILES: usize = 8;
/// The most bytes of the images of all layers together.
const BUDGET: usize = 2_000_000;

/// An image of a layer.
#[derive(Debug)]
pub struct LayerView {
    /// The layer's name.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The picture.
    pub image: Image,
    /// Screen pixels per pixel at which it is best shown.
    pub zoom: usize,
}

/// The kernels `[height, width]` of the first convolution, one for each filter; of several input channels, the mean.
/// `None` for a network without a convolution.
pub fn filters(run: &SavedRun) -> Result<Option<LayerView>, ReportError> {
    let first = run.network.layers.iter().find_map(|layer| {
        let weight = layer.layer.filters()?;
        Some((layer, run.weights.get(&format!("{}.{weight}", layer.name))?))
    });
    let Some((layer, tensor)) = first else { return Ok(None) };
    let &[h, w, channels, count] = &tensor.shape[..] else { return Ok(None) };
    let filter = |filter: usize| -> Vec<f32> {
        let mean = |at: usize| {
            let weight = |channel: usize| tensor.values[(at * channels + channel) * count + filter];
            (0..channels).map(weight).sum::<f32>() / channels as f32
        };
        (0..h * w).map(mean).collect()
    };
    let maps: Vec<_> = (0..count.min(most_tiles(h, w))).map(filter).collect();
    let scale = Scale::of(&maps.concat());
    let of_channels =
        if channels > 1 { format!(", each the mean over {channels} channels") } else { String::new() };
    let caption =
        format!("{} of {h}x{w}{of_channels}; {}", shown(maps.len(), count, "filters"), scale.legend());
    Ok(Some(LayerView {
        name: layer.name.clone(),
        caption,
        image: tiles([h, w], &maps, TILES_IN_A_ROW, 1, scale)?,
        zoom: WEIGHT_ZOOM,
    }))
}

/// The output of each layer for a sample, in order, computed by the twins; layers that only change shapes are left
/// out.
pub fn activations(run: &SavedRun, data: &Dataset, sample: usize) -> Result<Vec<LayerView>, ReportError> {
    let mut views: Vec<LayerView> = Vec::new();
    for (name, values) in outputs(run, data, sample)? {
        let shape = run.network.layers.iter().find(|layer| layer.name == name).map(|layer| layer.output);
        views.push(match shape {
            Some(Shape::Image(shape)) => view_of_maps(name, shape, &values)?,
            _ => view_of_values(name, &values)?,
        });
    }
    Ok(views)
}

/// The number of maps that are shown of a layer: fewer where they are large.
fn most_tiles(h: usize, w: usize) -> usize {
    (MOST_PIXELS / (h * w).max(1)).clamp(LEAST_TILES, MOST_TILES)
}

/// The views that the page has room for, in order, and how many are left out: large ones, once there are many.
pub fn within_budget(views: Vec<LayerView>) -> (Vec<LayerView>, usize) {
    let (all, mut bytes, mut kept) = (views.len(), 0, Vec::new());
    for view in views {
        if bytes + view.image.uri.len() <= BUDGET {
            bytes += view.image.uri.len();
            kept.push(view);
        }
    }
    let left_out = all - kept.len();
    (kept, left_out)
}

/// The values of each layer after its last step.
fn outputs(run: &SavedRun, data: &Dataset, sample: usize) -> Result<Vec<(String, Vec<f32>)>, Error> {
    let plan = Plan::build_for(&run.network, run.file.loss, run.file.optimizer, 1, data.form())?;
    let mut executor = CpuExecutor::<f32>::new(plan.clone());
    write_weights(&mut executor, &run.weights)?;
    executor.set_data(DataSlot::Evaluation, &data.slice(sample..sample + 1)?)?;
    let params = BatchParams::of_samples(1);
    let pass = Pass {
        phase: Phase::Predict,
        data: DataSlot::Evaluation,
        order: &[0],
        batches: &[params],
        transforms: &[],
    };
    executor.run(&pass, &mut |_, _| ControlFlow::Continue(()))?;
    // Run again step by step: some layers compute in place and overwrite the output of the one before.
    let mut outputs: Vec<(String, Vec<f32>)> = Vec::new();
    for (index, step) in plan.steps_of(Phase::Predict).filter(|(_, step)| step.stage != Stage::Input) {
        executor.run_step(index, DataSlot::Evaluation, &params)?;
        let specs = step.op.args();
        let written = specs
            .iter()
            .zip(&step.args)
            .find(|(spec, _)| spec.access != Access::In && spec.dtype == Dtype::F32);
        let Some((_, tensor)) = written else { continue };
        let layer = step.name.rsplit_once('/').map_or(&*step.name, |(layer, _)| layer);
        let values = executor.values(tensor).to_vec();
        match outputs.last_mut() {
            Some(last) if last.0 == layer => last.1 = values,
            _ => outputs.push((layer.to_owned(), values)),
        }
    }
    Ok(outputs)
}

fn view_of_maps(name: String, [h, w, c]: [usize; 3], values: &[f32]) -> Result<LayerView, ReportError> {
    let map = |channel: usize| values.iter().skip(channel).step_by(c).copied().collect::<Vec<_>>();
    let maps: Vec<_> = (0..c.min(most_tiles(h, w))).map(map).collect();
    let scale = Scale::of(&maps.concat());
    let caption = format!("{} of {h}x{w}; {}", shown(maps.len(), c, "channels"), scale.legend());
    Ok(LayerView { name, caption, image: tiles([h, w], &maps, TILES_IN_A_ROW, 1, scale)?, zoom: MAP_ZOOM })
}

fn view_of_values(name: String, values: &[f32]) -> Result<LayerView, ReportError> {
    let maps: Vec<_> = values.iter().take(MOST_VALUES).map(|&value| vec![value]).collect();
    let scale = Scale::of(&maps.concat());
    let caption = format!("{}; {}", shown(maps.len(), values.len(), "values"), scale.legend());
    Ok(LayerView { name, caption, image: tiles([1, 1], &maps, VALUES_IN_A_ROW, 0, scale)?, zoom: VALUE_ZOOM })
}

fn shown(shown: usize, all: usize, what: &str) -> String {
    if shown == all { format!("{all} {what}") } else { format!("the first {shown} of {all} {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;
    use crate::io::ModelFile;
    use crate::model::Weights;

    const MODEL: &str = "name = \"m\"\ninput_shape = [4, 4, 1]\n\
        [[layers]]\ntype = \"Conv2D\"\nfilters = 2\nkernel_size = 3\n\
        [[layers]]\ntype = \"ReLU\"\n[[layers]]\ntype = \"Flatten\"\n\
        [[layers]]\ntype = \"Dense\"\nunits = 2\nactivation = \"softmax\"\n";

    /// Filters that take the middle pixel and its negative; dense weights of 0 that leave the bias.
    fn run() -> SavedRun {
        let file = ModelFile::parse("m.toml", MODEL).unwrap();
        let network = file.model.network().unwrap();
        let mut weights: Vec<Vec<f32>> = network.weights().map(|weight| vec![0.0; weight.len()]).collect();
        weights[0][8] = 1.0;
        weights[0][9] = -1.0;
        weights[3] = vec![0.0, 3f32.ln()];
        let weights = Weights::from_values(&network, weights);
        SavedRun { file, network, weights }
    }

    #[test]
    fn each_layer_shows_what_it_made() {
        let data = Dataset::new(vec![255; 32], vec![0, 1], [4, 4, 1], 2).unwrap();
        let found = outputs(&run(), &data, 1).unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["conv2d", "re_lu", "dense", "output"]);
        assert_eq!(found[0].1, [1.0, -1.0].repeat(4), "before it is computed upon in place");
        assert_eq!(found[1].1, [1.0, 0.0].repeat(4));
        assert!((found[3].1[1] - 0.75).abs() < 1e-6, "{found:?}");
        let views = activations(&run(), &data, 1).unwrap();
        assert_eq!(views[1].caption, "2 channels of 2x2; black is 0, white is 1.000");
        assert_eq!(views[2].caption, "2 values; black is 0, white is 1.099");
    }

    /// Rows of f32 towards numbers, each with a weight.
    #[test]
    fn numbers_are_followed_as_images_are() {
        let text = "name = \"m\"\ninput_shape = [2]\ntarget = \"values\"\nloss = \"mean_squared_error\"\n\
            [[layers]]\ntype = \"Dense\"\nunits = 1\n";
        let file = ModelFile::parse("m.toml", text).unwrap();
        let network = file.model.network().unwrap();
        let weights = Weights::from_values(&network, vec![vec![2.0, -1.0], vec![0.5]]);
        let run = SavedRun { file, network, weights };
        let targets = Targets::values([[0.0f32], [4.5]], 1).unwrap();
        let data = Dataset::from_parts(vec![1.0f32, 1.0, 3.0, 2.0], targets, [2]).unwrap();
        for data in [data.clone(), data.with_sample_weights(vec![1.0, 2.0]).unwrap()] {
            assert_eq!(outputs(&run, &data, 1).unwrap().last().unwrap().1, [4.5]);
            assert_eq!(activations(&run, &data, 1).unwrap().len(), 1);
        }
    }

    #[test]
    fn large_views_are_left_out_once_there_are_many() {
        let view = |bytes: usize| LayerView {
            name: bytes.to_string(),
            caption: String::new(),
            image: Image { uri: "x".repeat(bytes), width: 1, reduced: 1 },
            zoom: 1,
        };
        let (kept, left_out) =
            within_budget([BUDGET / 2, BUDGET, BUDGET / 4, BUDGET / 2, 10].map(view).into());
        let kept: Vec<_> = kept.into_iter().map(|view| view.image.uri.len()).collect();
        assert_eq!((kept, left_out), (vec![BUDGET / 2, BUDGET / 4, 10], 2));
        let tiles = [(26, 26), (56, 56), (112, 112), (1000, 1000)].map(|(h, w)| most_tiles(h, w));
        assert_eq!(tiles, [64, 64, 16, 8]);
    }

    #[test]
    fn filters_are_those_of_the_first_convolution() {
        let view = filters(&run()).unwrap().unwrap();
        assert_eq!((view.name.as_str(), view.image.width), ("conv2d", 9));
        assert_eq!(view.caption, "2 filters of 3x3; blue is -1.000, white is 0, red is 1.000");
    }
}
