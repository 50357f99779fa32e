//! What a page may ask while a model trains: the weights of the last snapshot, and what they predict.

use std::rc::Rc;

use shadegrad::Device;
use shadegrad::io::SavedRun;
use shadegrad::io::onnx::to_onnx;
use shadegrad::io::report::{Judged, RunReport};
use shadegrad::train::{Model, held_to};
use wasm_bindgen::prelude::*;

use crate::error::told;
use crate::run::{Run, Shared};
use crate::sets::{DataSet, picture};

/// Sees a run, and predicts by the weights of its last snapshot on the CPU executor.
#[wasm_bindgen]
pub struct Watcher {
    run: Shared,
    /// A model with the weights of this version.
    model: Option<(u32, Model)>,
}

impl Watcher {
    pub(crate) fn new(run: Shared) -> Self {
        Watcher { run, model: None }
    }

    fn model(&mut self) -> Result<&mut Model, JsError> {
        let run = self.run.borrow();
        if self.model.as_ref().is_none_or(|(version, _)| *version != run.version) {
            let model = match self.model.take() {
                Some((_, mut model)) => {
                    model.set_weights(run.weights.clone()).map_err(told)?;
                    model
                }
                None => run.saved()?.compile(&Device::Cpu).map_err(told)?,
            };
            self.model = Some((run.version, model));
        }
        self.model.as_mut().map(|(_, model)| model).ok_or_else(|| JsError::new("there is no model"))
    }
}

#[wasm_bindgen]
impl Watcher {
    /// A finished run, from its `model.toml` and `weights.safetensors`.
    ///
    /// # Errors
    /// When they are damaged, or do not belong together.
    #[wasm_bindgen(constructor)]
    pub fn from_run(model_toml: &str, weights: &[u8]) -> Result<Watcher, JsError> {
        let SavedRun { file, weights, .. } = SavedRun::from_bytes(model_toml, weights).map_err(told)?;
        Ok(Watcher::new(Run::finished(file, weights)))
    }

    /// Height, width and channels of what the network sees; none for rows of numbers.
    #[wasm_bindgen(getter)]
    pub fn shape(&self) -> Result<Vec<u32>, JsError> {
        let network = self.run.borrow().saved()?.network;
        Ok(network.input_shape.image().map_or_else(Vec::new, |shape| shape.map(|size| size as u32).to_vec()))
    }

    /// What the classes are called, in order.
    #[wasm_bindgen(getter, js_name = classNames)]
    pub fn class_names(&self) -> Result<Vec<String>, JsError> {
        let saved = self.run.borrow().saved()?;
        Ok((0..saved.network.classes()).map(|class| saved.class_name(class)).collect())
    }

    /// What the network says of samples of bytes, `[samples, height, width, channels]`: a probability for each class.
    ///
    /// # Errors
    /// When the bytes are not whole samples.
    pub fn predict(&mut self, samples: &[u8]) -> Result<Vec<f32>, JsError> {
        self.model()?.predict(samples).map_err(told)
    }

    /// The page that the program's `report` makes of a run, with the samples of this data set to test with, and the weights of the last
    /// snapshot.
    ///
    /// # Errors
    /// When the data does not fit the model.
    pub fn report(&mut self, data: &DataSet) -> Result<String, JsError> {
        let shared = Rc::clone(&self.run);
        let run = shared.borrow();
        let saved = run.saved()?;
        let test = held_to(&saved.network, &data.sets.test).map_err(told)?;
        let model = self.model()?;
        let outputs = model.predict_data(&test).map_err(told)?;
        let report =
            RunReport::new(&saved, run.result.as_ref(), run.logs()?, &test, &outputs).map_err(told)?;
        let report = report.with_pixels(model, &test, &outputs).map_err(told)?;
        let digests = run.settings.data_digests.as_ref();
        let is_other = digests.is_some_and(|digests| digests.test != data.sets.test.digest());
        Ok(report.on(Judged { data: data.name.clone(), is_other }).html())
    }

    /// A drawing as the network sees it: from a picture of this width, four bytes to a pixel (red, green, blue, opacity), it makes an
    /// image like those of MNIST, bright on black, centred. Empty where nothing is drawn.
    ///
    /// # Errors
    /// When the bytes are not such a picture, or the model wants no drawings.
    pub fn drawing(&self, rgba: Vec<u8>, width: usize) -> Result<Vec<u8>, JsError> {
        let shape = self.run.borrow().saved()?.network.input_shape.image();
        let shape = shape.ok_or_else(|| JsError::new("this model takes rows of numbers"))?;
        match picture(rgba, width)?.drawing(shape) {
            Ok(drawing) => Ok(drawing.image),
            Err(shadegrad::data::DataError::BlankPicture) => Ok(Vec::new()),
            Err(error) => Err(told(error)),
        }
    }

    /// A picture as the network sees it: scaled until its shorter side fits, what is then too long cut off at both ends.
    ///
    /// # Errors
    /// When the bytes are not such a picture, or the model wants no images.
    pub fn fitted(&self, rgba: Vec<u8>, width: usize) -> Result<Vec<u8>, JsError> {
        let shape = self.run.borrow().saved()?.network.input_shape.image();
        let shape = shape.ok_or_else(|| JsError::new("this model takes rows of numbers"))?;
        picture(rgba, width)?.fitted(shape).map_err(told)
    }

    /// Weights by the name of a layer and their own, such as `conv2d/kernel`; none where there is no such tensor.
    pub fn tensor(&self, name: &str) -> Vec<f32> {
        let run = self.run.borrow();
        run.weights.get(name).map_or_else(Vec::new, |tensor| tensor.values.clone())
    }

    /// The names and shapes of all weights, as JSON: `[["conv2d/kernel", [3, 3, 1, 32]], ...]`.
    pub fn tensors(&self) -> Result<String, JsError> {
        let run = self.run.borrow();
        let all: Vec<_> = run.weights.tensors().iter().map(|tensor| (&tensor.name, &tensor.shape)).collect();
        crate::error::json(&all)
    }

    /// The files of the run's folder, as pairs of a path and bytes. The program goes on with them, and the page too.
    ///
    /// # Errors
    /// When they cannot be made, which is a defect.
    pub fn files(&self) -> Result<Vec<js_sys::Array>, JsError> {
        let pair = |(path, bytes): (String, Vec<u8>)| {
            js_sys::Array::of2(&path.into(), &js_sys::Uint8Array::from(bytes.as_slice()).into())
        };
        Ok(self.run.borrow().files()?.into_iter().map(pair).collect())
    }

    /// The weights as a safetensors file.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn weights(&self) -> Result<Vec<u8>, JsError> {
        self.run.borrow().weights_file()
    }

    /// The model with its weights as an ONNX file.
    ///
    /// # Errors
    /// When it has a layer that ONNX does not know.
    pub fn onnx(&self) -> Result<Vec<u8>, JsError> {
        to_onnx(&self.run.borrow().saved()?).map_err(told)
    }
}
