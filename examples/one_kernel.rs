//! One kernel, on a buffer of one's own: what a shader of this crate computes, and the text that the driver compiles.
//!
//!     cargo run --release --example one_kernel

use std::error::Error;

use shadegrad::Device;
use shadegrad::ops::{ActivationForward, LeakyRelu, Op};
use shadegrad::plan::BatchParams;

/// Leaky ReLU in place, by `shaders/activations/leaky_relu.wgsl`: x where x > 0, `slope * x` elsewhere.
pub fn leaky_relu(x: &mut [f32], slope: f32) -> Result<String, Box<dyn Error>> {
    let Some((Device::Gpu(gpu), _)) = Device::adapter() else {
        return Err("there is no adapter; `shadegrad devices` says how to get one".into());
    };

    // A step: what is computed, with its sizes. Another one is as good; `Op::args` lists the buffers that it takes.
    let op = Op::from(ActivationForward { len: x.len(), function: LeakyRelu { slope }.into() });

    // Of the kernels that can run it, the one that this adapter prefers: by fours where the length allows it.
    let kernel = gpu.kernel(&op).ok_or("no kernel runs this step")?;
    let title = format!("{} of shaders/{} on {}", kernel.title(), kernel.source.file, gpu.title());

    // The header with the sizes, the imported files, its own file.
    println!("{}", kernel.text(&[0], gpu.limits().max_compute_workgroups_per_dimension));

    // One buffer for each argument, as 32-bit words. This step does not ask where in the training it stands.
    let params: BatchParams = bytemuck::Zeroable::zeroed();
    gpu.run_once(&op, &params, &mut [bytemuck::cast_slice_mut(x)])?;
    Ok(title)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut x = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0];
    println!("before: {x:?}");
    let title = leaky_relu(&mut x, 0.1)?;
    println!("after:  {x:?}, {title}");
    if x != [-0.2, -0.1, -0.05, 0.0, 0.5, 1.0, 2.0, 3.0] {
        return Err("the kernel computes something else".into());
    }
    Ok(())
}
