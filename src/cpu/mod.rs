//! The CPU executor and its twins: one plain function per step kind, with the name and the arguments of its shader.
//!
//! The twins are the oracle for the shaders and the fallback without a GPU. They are index loops in the order of the
//! maths, generic over f32 and f64, parallel only over outputs that do not depend on one another, so the number of
//! threads never changes a bit. They share no code with the GPU path.

mod adadelta_update;
mod adam_update;
mod add_penalty;
mod augment_images;
mod batch_metrics;
mod bias_add;
mod clip_by_norm;
mod clip_by_value;
mod column_sum;
mod conv2d_backward_input;
mod conv2d_backward_kernel;
mod conv2d_forward;
mod conv2d_maxpool_backward_kernel;
mod conv2d_maxpool_forward;
mod copy;
mod cross_entropy;
mod dense_backward;
mod dense_forward;
mod dense_rmsprop_update;
mod dense_softmax_cross_entropy;
mod dropout_backward;
mod dropout_forward;
mod executor;
mod gather_batch;
mod gather_images;
mod leaky_relu_backward;
mod leaky_relu_forward;
mod matmul;
mod matmul_a_bt;
mod matmul_at_b;
mod maxpool_backward;
mod maxpool_forward;
mod mean_squared_error;
mod one_hot;
mod relu_backward;
mod relu_forward;
mod rmsprop_update;
mod run;
mod sgd_momentum_update;
mod sgd_update;
mod sigmoid_backward;
mod sigmoid_forward;
mod softmax;
mod softmax_backward;
mod softmax_cross_entropy;
mod softmax_cross_entropy_metrics;
mod sum_of_squares;
mod sum_partials;
mod sum_partials_bias;
mod tanh_backward;
mod tanh_forward;
mod tripwire;
mod weight_decay;
mod weight_penalty;
mod weight_penalty_gradient;
mod winners;

pub use executor::CpuExecutor;
pub use run::{Arg, run};

/// The numbers a twin computes with: f32 as the shaders, or f64 as the measure for both.
pub trait Real: num_traits::Float + num_traits::NumAssign + Send + Sync + std::iter::Sum + 'static {
    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The value in f64; exact for both types.
    fn f64(self) -> f64;
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }

    fn f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }

    fn f64(self) -> f64 {
        self
    }
}
