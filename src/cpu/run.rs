//! From a step kind to its twin.

use super::{Real, winners};
use crate::plan::{Op, StepParams};

/// One argument of a twin, in the order of [`Op::args`].
#[derive(Debug)]
pub enum Arg<'a, T> {
    /// Floats that are read.
    In(&'a [T]),
    /// Floats that are written, or read and written.
    Out(&'a mut [T]),
    /// Integers that are read.
    InU32(&'a [u32]),
    /// Integers that are written, or read and written.
    OutU32(&'a mut [u32]),
    /// Bytes that are read.
    Bytes(&'a [u8]),
}

/// Runs the twin of `op`; `false` when the arguments do not fit the kind, which a plan never gives.
pub fn run<T: Real>(op: &Op, step: &StepParams, args: &mut [Arg<'_, T>]) -> bool {
    use Arg::{Bytes, In, InU32, Out, OutU32};
    match (op, args) {
        (&Op::GatherImages { pixels, .. }, [Bytes(images), InU32(order), In(scale), Out(x)]) => {
            super::gather_images::gather_images(pixels, step, images, order, scale, x);
        }
        (&Op::OneHot { classes, .. }, [Bytes(labels), InU32(order), Out(target)]) => {
            super::one_hot::one_hot(classes, step, labels, order, target);
        }
        (
            &Op::GatherBatch { pixels, classes, .. },
            [Bytes(images), Bytes(labels), InU32(order), Out(x), Out(one_hot)],
        ) => {
            let sizes = [pixels, classes];
            super::gather_batch::gather_batch(sizes, step, [images, labels], order, x, one_hot);
        }
        (Op::AugmentImages(s), [In(transforms), In(source), Out(x)]) => {
            super::augment_images::augment_images(s, step, transforms, source, x);
        }
        (Op::Conv2dForward { conv, relu }, [In(x), In(kernel), In(bias), Out(y)]) => {
            super::conv2d_forward::conv2d_forward(conv, x, kernel, bias, y);
            if *relu {
                super::relu_forward::relu_forward(y);
            }
        }
        (Op::Conv2dBackwardInput(conv), [In(dy), In(kernel), Out(dx)]) => {
            super::conv2d_backward_input::conv2d_backward_input(conv, dy, kernel, dx);
        }
        (Op::Conv2dBackwardKernel(conv), [In(x), In(dy), Out(partial)]) => {
            super::conv2d_backward_kernel::conv2d_backward_kernel(conv, x, dy, partial);
        }
        (Op::MaxpoolForward(pool), [In(x), Out(y), OutU32(winner)]) => {
            let find = |winner: &mut [u32]| super::maxpool_forward::maxpool_forward(pool, x, y, winner);
            winners::pack(pool, winner, find);
        }
        (Op::MaxpoolBackward(pool), [In(dy), InU32(winner), Out(dx)]) => {
            super::maxpool_backward::maxpool_backward(pool, dy, &winners::unpacked(pool, winner), dx);
        }
        (Op::Conv2dMaxpoolForward(s), [In(x), In(kernel), In(bias), Out(y), OutU32(winner)]) => {
            winners::pack(&s.pool, winner, |winner| {
                super::conv2d_maxpool_forward::conv2d_maxpool_forward(s, x, kernel, bias, y, winner);
            });
        }
        (Op::Conv2dMaxpoolBackwardKernel(s), [In(x), In(dy), InU32(winner), Out(partial)]) => {
            let winner = winners::unpacked(&s.pool, winner);
            super::conv2d_maxpool_backward_kernel::conv2d_maxpool_backward_kernel(s, x, dy, &winner, partial);
        }
        (Op::Matmul(shape), [In(a), In(b), Out(partial)]) => {
            super::matmul::matmul(shape, a, b, partial);
        }
        (&Op::MatmulAtB { ref product, bias }, [In(a), In(b), Out(partial)]) => {
            super::matmul_at_b::matmul_at_b(product, bias, a, b, partial);
        }
        (Op::MatmulABt(shape), [In(a), In(b), Out(partial)]) => {
            super::matmul_a_bt::matmul_a_bt(shape, a, b, partial);
        }
        (Op::SumPartials { .. }, [In(partial), Out(sum)]) => {
            super::sum_partials::sum_partials(partial, sum);
        }
        (&Op::SumPartialsBias { relu, .. }, [In(partial), In(bias), Out(y)]) => {
            super::sum_partials_bias::sum_partials_bias(relu, partial, bias, y);
        }
        (Op::DenseForward { product, relu }, [In(x), In(kernel), In(bias), Out(y)]) => {
            super::dense_forward::dense_forward(product, *relu, x, kernel, bias, y);
        }
        (Op::DenseBackward { product, relu }, [In(x), In(kernel), In(dy), Out(gradient), Out(dx)]) => {
            super::dense_backward::dense_backward(product, *relu, x, kernel, dy, gradient, dx);
        }
        (&Op::ColumnSum { rows, columns }, [In(x), Out(partial)]) => {
            super::column_sum::column_sum(rows, columns, x, partial);
        }
        (Op::BiasAdd { .. }, [In(bias), Out(y)]) => super::bias_add::bias_add(bias, y),
        (Op::ReluForward { .. }, [Out(y)]) => super::relu_forward::relu_forward(y),
        (Op::ReluBackward { .. }, [In(y), Out(dy)]) => super::relu_backward::relu_backward(y, dy),
        (Op::SigmoidForward { .. }, [Out(y)]) => super::sigmoid_forward::sigmoid_forward(y),
        (Op::SigmoidBackward { .. }, [In(y), Out(dy)]) => super::sigmoid_backward::sigmoid_backward(y, dy),
        (Op::TanhForward { .. }, [Out(y)]) => super::tanh_forward::tanh_forward(y),
        (Op::TanhBackward { .. }, [In(y), Out(dy)]) => super::tanh_backward::tanh_backward(y, dy),
        (&Op::LeakyReluForward { slope, .. }, [Out(y)]) => {
            super::leaky_relu_forward::leaky_relu_forward(slope, y);
        }
        (&Op::LeakyReluBackward { slope, .. }, [In(y), Out(dy)]) => {
            super::leaky_relu_backward::leaky_relu_backward(slope, y, dy);
        }
        (Op::Copy { .. }, [In(x), Out(y)]) => super::copy::copy(x, y),
        (Op::DropoutForward(s), [In(x), Out(y)]) => super::dropout_forward::dropout_forward(s, step, x, y),
        (Op::DropoutBackward(s), [Out(dy)]) => super::dropout_backward::dropout_backward(s, step, dy),
        (&Op::SoftmaxBackward { columns, .. }, [In(y), Out(dy)]) => {
            super::softmax_backward::softmax_backward(columns, y, dy);
        }
        (
            &Op::MeanSquaredError { columns, .. },
            [In(y), In(target), Out(row_loss), OutU32(row_correct), Out(dy)],
        ) => {
            super::mean_squared_error::mean_squared_error(columns, step, y, target, row_loss, row_correct, dy)
        }
        (
            &Op::CrossEntropy { columns, .. },
            [In(y), In(target), Out(row_loss), OutU32(row_correct), Out(dy)],
        ) => super::cross_entropy::cross_entropy(columns, step, y, target, row_loss, row_correct, dy),
        (&Op::Softmax { columns, .. }, [In(logits), Out(probabilities)]) => {
            super::softmax::softmax(columns, logits, probabilities);
        }
        (
            &Op::SoftmaxCrossEntropy { columns, .. },
            [In(logits), In(target), Out(row_loss), OutU32(row_correct), Out(dlogits)],
        ) => super::softmax_cross_entropy::softmax_cross_entropy(
            columns,
            step,
            logits,
            target,
            row_loss,
            row_correct,
            dlogits,
        ),
        (
            &Op::SoftmaxCrossEntropyMetrics { columns, .. },
            [In(logits), In(target), Out(dlogits), Out(loss), OutU32(correct)],
        ) => super::softmax_cross_entropy_metrics::softmax_cross_entropy_metrics(
            columns, step, logits, target, dlogits, loss, correct,
        ),
        (Op::BatchMetrics { .. }, [In(row_loss), InU32(row_correct), Out(loss), OutU32(correct)]) => {
            super::batch_metrics::batch_metrics(step, row_loss, row_correct, loss, correct);
        }
        (
            &Op::DenseSoftmaxCrossEntropy { ref product, relu },
            [In(x), In(kernel), In(bias), In(one_hot), Out(gradient), Out(dx), Out(loss), OutU32(correct)],
        ) => super::dense_softmax_cross_entropy::dense_softmax_cross_entropy(
            product, relu, step, x, kernel, bias, one_hot, gradient, dx, loss, correct,
        ),
        (Op::SumOfSquares { .. }, [In(x), Out(partial)]) => {
            super::sum_of_squares::sum_of_squares(x, partial);
        }
        (&Op::ClipByValue { limit, .. }, [Out(gradient)]) => {
            super::clip_by_value::clip_by_value(limit, step, gradient);
        }
        (&Op::ClipByNorm { limit, .. }, [In(square_sum), Out(gradient)]) => {
            super::clip_by_norm::clip_by_norm(limit, square_sum, gradient);
        }
        (Op::WeightPenalty { regularizer, .. }, [In(kernel), Out(partial)]) => {
            super::weight_penalty::weight_penalty(regularizer, kernel, partial);
        }
        (Op::WeightPenaltyGradient { regularizer, .. }, [In(kernel), Out(gradient)]) => {
            super::weight_penalty_gradient::weight_penalty_gradient(regularizer, kernel, gradient);
        }
        (Op::AddPenalty, [In(penalty), Out(loss)]) => super::add_penalty::add_penalty(step, penalty, loss),
        (Op::SgdUpdate { sgd, .. }, [In(gradient), In(loss), OutU32(tripwire), Out(parameter)]) => {
            super::sgd_update::sgd_update(sgd, step, gradient, loss, tripwire, parameter);
        }
        (
            Op::SgdMomentumUpdate { sgd, .. },
            [In(gradient), In(loss), OutU32(tripwire), Out(state), Out(parameter)],
        ) => super::sgd_momentum_update::sgd_momentum_update(
            sgd, step, gradient, loss, tripwire, state, parameter,
        ),
        (
            Op::AdadeltaUpdate { adadelta, .. },
            [In(gradient), In(loss), OutU32(tripwire), Out(state), Out(parameter)],
        ) => super::adadelta_update::adadelta_update(
            adadelta, step, gradient, loss, tripwire, state, parameter,
        ),
        (
            Op::AdamUpdate { adam, .. },
            [In(gradient), In(loss), OutU32(tripwire), Out(state), Out(parameter)],
        ) => super::adam_update::adam_update(adam, step, gradient, loss, tripwire, state, parameter),
        (
            Op::RmspropUpdate { rmsprop, hole, .. },
            [In(gradient), In(loss), OutU32(tripwire), Out(state), Out(parameter)],
        ) => super::rmsprop_update::rmsprop_update(
            rmsprop, hole, step, gradient, loss, tripwire, state, parameter,
        ),
        (
            Op::DenseRmspropUpdate { product, first, rmsprop, .. },
            [In(a), In(b), In(loss), OutU32(tripwire), Out(state), Out(parameter)],
        ) => super::dense_rmsprop_update::dense_rmsprop_update(
            product, *first, rmsprop, step, a, b, loss, tripwire, state, parameter,
        ),
        _ => return false,
    }
    true
}
