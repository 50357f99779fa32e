// import shared/batch.wgsl

// batch_metrics: loss[slot] = (1/divisor) sum_r row_loss[r] and correct[slot] = sum_r row_correct[r],
// over r < batch_size.
// One workgroup: each invocation sums every WORKGROUP_SIZE-th row, then the sums are added pairwise, always alike.
//
// row_loss, row_correct [ROWS]
// loss, correct         [_], of which only element `slot` is written

@group(0) @binding(0) var<storage, read> row_loss: array<f32>;
@group(0) @binding(1) var<storage, read> row_correct: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> correct: array<u32>;

var<workgroup> losses: array<f32, WORKGROUP_SIZE>;
var<workgroup> hits: array<u32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) local: u32) {
    var sum = 0.0;
    var count = 0u;
    for (var r = local; r < batch.batch_size; r += WORKGROUP_SIZE) {
        sum += row_loss[ROW_LOSS_BASE + r];
        count += row_correct[ROW_CORRECT_BASE + r];
    }
    losses[local] = sum;
    hits[local] = count;
    for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if local < half {
            losses[local] += losses[local + half];
            hits[local] += hits[local + half];
        }
    }
    if local == 0u {
        loss[LOSS_BASE + batch.slot] = losses[0] / f32(batch.divisor);
        correct[CORRECT_BASE + batch.slot] = hits[0];
    }
}
