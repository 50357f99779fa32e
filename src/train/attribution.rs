//! Which parts of a sample a score follows: saliency and Grad-CAM.

use std::ops::ControlFlow;

use super::model::{Model, write_weights};
use crate::data::batches::epoch_order;
use crate::data::{Dataset, Plane, SampleValue, Shape, Targets, resample};
use crate::error::{AttributionError, Error};
use crate::executor::{DataSlot, Pass};
use crate::model::{Network, NetworkLayer};
use crate::ops::BatchParams;
use crate::plan::{Attribution, Goal, Phase};

/// Samples whose gradients are computed at once: all that is between the layers is held for each.
const AT_ONCE: usize = 8;

/// A map of numbers for each of some samples, none below 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps {
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
    /// `[samples, height, width]`.
    pub values: Vec<f32>,
}

impl Maps {
    /// The map of each sample, `[height, width]`, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact((self.height * self.width).max(1))
    }

    /// The same maps at another size, such as that of the images: values in between are interpolated linearly, and where a map
    /// becomes smaller, they are means.
    pub fn resized(&self, height: usize, width: usize) -> Maps {
        let resized = |map: &[f32]| {
            let plane = Plane { height: self.height, width: self.width, values: map.to_vec() };
            resample(&plane, [height, width]).values
        };
        Maps { height, width, values: self.iter().flat_map(resized).collect() }
    }
}

impl Model {
    /// How much the score of a class follows each place of a sample: `map[y, x] = max over c of |d score / d x[y, x, c]|`.
    ///
    /// The score is what goes into the last softmax or sigmoid, of the class that is given for each sample. Of a single sigmoid unit with
    /// input z it is z for class 1 and -z for class 0; where targets are labels, a class is a label; where they are values, it is the
    /// number of an output, and the score is that output. Samples are `[samples, input_shape...]`, of bytes or of f32; derivatives are by
    /// what the first layer gets, which of bytes are their quotients by 255 unless it takes them as they are. Layers are as in
    /// [`predict`](Self::predict). Maps have the height and width of the input; of rows of features they are one row.
    ///
    /// Source: Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks: visualising image classification models and saliency
    /// maps", section 3, arXiv:1312.6034.
    ///
    /// ```no_run
    /// use shadegrad::train::Model;
    ///
    /// let mut model = Model::load("runs/tutorial-1".as_ref())?;
    /// let image = [0; 28 * 28];
    /// let maps = model.saliency(&image, &[7])?;
    /// assert_eq!(maps.values.len(), 28 * 28);
    /// # Ok::<(), shadegrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the numbers are not whole samples, there is not one class of the model for each, or the plan does not fit the device.
    pub fn saliency<V: SampleValue>(&mut self, samples: &[V], classes: &[usize]) -> Result<Maps, Error> {
        let [height, width, channels] = sides(self.network.input_shape);
        let mut values = Vec::new();
        self.derive(samples, classes, Goal::Input, &mut |_, gradient| {
            values.extend(gradient.chunks_exact(channels).map(largest));
        })?;
        Ok(Maps { height, width, values })
    }

    /// Where a layer sees what speaks for a class: `map[y, x] = max(0, sum_k a_k A[y, x, k])` of the outputs A of the layer, its
    /// activation applied, with `a_k = mean over y, x of d score / d A[y, x, k]`.
    ///
    /// Samples, classes and scores are those of [`saliency`](Self::saliency). Maps have the height and width of the layer's output;
    /// [`Maps::resized`] brings them to that of the images. By default the layer is [`grad_cam_layer`](Self::grad_cam_layer).
    ///
    /// Source: Selvaraju and others, "Grad-CAM: visual explanations from deep networks via gradient-based localization", equations 1 and 2,
    /// arXiv:1610.02391.
    ///
    /// # Errors
    /// As [`saliency`](Self::saliency); [`AttributionError::Layer`] when there is no layer of this name whose output is an image, and
    /// [`AttributionError::NoFilters`] when none is given and there is no default.
    pub fn grad_cam<V: SampleValue>(
        &mut self,
        samples: &[V],
        classes: &[usize],
        layer: Option<&str>,
    ) -> Result<Maps, Error> {
        let found = match layer {
            Some(name) => named(&self.network, name)?,
            None => with_filters(&self.network).ok_or(AttributionError::NoFilters)?,
        };
        let (index, [height, width, channels]) = (found.index, sides(found.output));
        let size = found.output.len();
        let mut values = Vec::new();
        self.derive(samples, classes, Goal::Layer(index), &mut |outputs, gradient| {
            for (outputs, gradient) in outputs.chunks_exact(size).zip(gradient.chunks_exact(size)) {
                values.extend(class_activation(outputs, gradient, channels));
            }
        })?;
        Ok(Maps { height, width, values })
    }

    /// The layer that [`grad_cam`](Self::grad_cam) takes by default: the last one with filters whose output is an image of more than one
    /// position. `None` where there is none.
    pub fn grad_cam_layer(&self) -> Option<&str> {
        with_filters(&self.network).map(|layer| layer.name.as_str())
    }

    /// Gives `on_rows` what the scores are derived by, and the derivatives, of some samples after the other.
    fn derive<V: SampleValue>(
        &mut self,
        samples: &[V],
        classes: &[usize],
        goal: Goal,
        on_rows: &mut dyn FnMut(&[f32], &[f32]),
    ) -> Result<(), Error> {
        let count = self.check(samples.len(), classes)?;
        if count == 0 {
            return Ok(());
        }
        let targets = Targets::blank(self.network.target, count, self.network.classes());
        let data = Dataset::from_parts(samples, targets, self.network.input_shape)?;
        let batch = count.min(AT_ONCE);
        let Attribution { plan, d_scores, values, gradient } =
            Attribution::build(&self.network, goal, batch, data.form())?;
        let mut executor = self.device().executor(plan)?;
        write_weights(executor.as_mut(), &self.weights()?)?;
        executor.set_data(DataSlot::Evaluation, &data)?;
        let order = epoch_order(count, 0, None);
        for (mut row, classes) in
            BatchParams::of_pass(count, batch, 0.0).into_iter().zip(classes.chunks(batch))
        {
            let first = row.first as usize;
            (row.first, row.slot) = (0, 0);
            executor.write(&d_scores, &self.one_hot(classes, d_scores.len()))?;
            let pass = Pass {
                phase: Phase::Predict,
                data: DataSlot::Evaluation,
                order: &order[first..first + classes.len()],
                batches: &[row],
                transforms: &[],
            };
            executor.run(&pass, &mut |_, _| ControlFlow::Continue(()))?;
            let [values, gradient] = [&values, &gradient].map(|tensor| {
                let mut rows = tensor.clone();
                rows.shape[0] = classes.len();
                rows
            });
            on_rows(&executor.read(&values)?, &executor.read(&gradient)?);
        }
        Ok(())
    }

    /// How many samples there are, if there is a class of the model for each.
    fn check(&self, numbers: usize, classes: &[usize]) -> Result<usize, Error> {
        let size = self.network.input_shape.len();
        if !numbers.is_multiple_of(size) {
            return Err(Error::SampleLength { numbers, size });
        }
        let samples = numbers / size;
        if classes.len() != samples {
            return Err(AttributionError::Count { classes: classes.len(), samples }.into());
        }
        let known = self.network.classes();
        match classes.iter().position(|&class| class >= known) {
            None => Ok(samples),
            Some(sample) => {
                Err(AttributionError::Class { sample, class: classes[sample], classes: known }.into())
            }
        }
    }

    /// The gradient by all scores of that of one class for each sample, followed by zeros up to `len`.
    fn one_hot(&self, classes: &[usize], len: usize) -> Vec<f32> {
        let (columns, mut scores) = (self.network.outputs(), vec![0.0; len]);
        for (row, &class) in scores.chunks_exact_mut(columns).zip(classes) {
            match self.network.is_binary() {
                true => row[0] = if class == 1 { 1.0 } else { -1.0 },
                false => row[class] = 1.0,
            }
        }
        scores
    }
}

/// Height, width and channels; features are one row.
fn sides(shape: Shape) -> [usize; 3] {
    shape.image().unwrap_or([1, shape.len(), 1])
}

/// The largest magnitude; NaN where there is one.
fn largest(values: &[f32]) -> f32 {
    values
        .iter()
        .fold(0.0, |most: f32, value| if value.abs() <= most || most.is_nan() { most } else { value.abs() })
}

/// What is above 0; NaN stays.
fn above_zero(value: f64) -> f32 {
    if value < 0.0 { 0.0 } else { value as f32 }
}

/// `max(0, sum_k a_k A[.., k])` with `a_k = mean of gradient[.., k]`; both `[positions, channels]`.
fn class_activation(outputs: &[f32], gradient: &[f32], channels: usize) -> Vec<f32> {
    let positions = (gradient.len() / channels) as f64;
    let mut shares = vec![0.0; channels];
    for row in gradient.chunks_exact(channels) {
        shares.iter_mut().zip(row).for_each(|(share, &value)| *share += f64::from(value) / positions);
    }
    let sum =
        |row: &[f32]| shares.iter().zip(row).map(|(share, &value)| share * f64::from(value)).sum::<f64>();
    outputs.chunks_exact(channels).map(|row| above_zero(sum(row))).collect()
}

/// The layer of this name.
fn named<'a>(network: &'a Network, name: &str) -> Result<&'a NetworkLayer, AttributionError> {
    let images = || network.layers.iter().filter(|layer| layer.output.image().is_some());
    images().find(|layer| layer.name == name).ok_or_else(|| AttributionError::Layer {
        layer: name.to_owned(),
        images: images().map(|layer| format!("`{}`", layer.name)).collect(),
    })
}

/// The last layer with filters whose output has places to tell apart.
fn with_filters(network: &Network) -> Option<&NetworkLayer> {
    let fits = |layer: &&NetworkLayer| {
        layer.layer.filters().is_some() && layer.output.image().is_some_and(|[h, w, _]| h * w > 1)
    };
    network.layers.iter().rfind(fits)
}
