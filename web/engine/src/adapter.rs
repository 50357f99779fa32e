//! What computes.

use shadegrad::Device;
use shadegrad::device::DeviceChoice;
use wasm_bindgen::prelude::*;

use crate::error::told;

/// The browser's adapter, or the CPU executor.
#[wasm_bindgen]
pub struct Adapter {
    pub(crate) device: Device,
}

/// Opens what computes: `gpu`, the browser's adapter; `cpu`, the CPU executor, here on one thread; or `auto`, the adapter if it is
/// hardware, else the CPU executor, which is faster than an adapter that computes on the processor.
///
/// # Errors
/// Where there is no adapter but one is asked for, or it does not open.
#[wasm_bindgen(jspi)]
pub fn open(choice: &str) -> Result<Adapter, JsError> {
    let device = match choice {
        "cpu" => Device::cpu(),
        "gpu" => match Device::adapter() {
            Some((device, _)) => device,
            None => Device::open(&DeviceChoice::Index(0)).map_err(told)?.0,
        },
        "auto" => {
            Device::adapter().map(|(device, _)| device).filter(Device::is_hardware).unwrap_or(Device::Cpu)
        }
        other => return Err(JsError::new(&format!("`{other}` is neither `gpu`, `cpu` nor `auto`"))),
    };
    Ok(Adapter { device })
}

#[wasm_bindgen]
impl Adapter {
    /// Its name, as far as the browser tells.
    #[wasm_bindgen(getter)]
    pub fn title(&self) -> String {
        self.device.title()
    }

    /// Plans a failure, for a test, such as `device-lost@12`: the adapter is lost before its twelfth batch from now.
    ///
    /// # Errors
    /// When it is not one of those that can be planned, or this is no adapter.
    pub fn fail(&self, failure: &str) -> Result<(), JsError> {
        let Device::Gpu(gpu) = &self.device else {
            return Err(JsError::new("the CPU executor does not fail"));
        };
        gpu.fail(failure.parse().map_err(|reason: String| JsError::new(&reason))?);
        Ok(())
    }

    /// What kind it is, in words.
    #[wasm_bindgen(getter)]
    pub fn kind(&self) -> String {
        self.device.kind()
    }

    /// Whether it is an adapter, and not the CPU executor.
    #[wasm_bindgen(getter, js_name = isGpu)]
    pub fn is_gpu(&self) -> bool {
        matches!(self.device, Device::Gpu(_))
    }
}
