// import shared/linear_index.wgsl

// normalize: y = (x - mean) / s, s = max(sqrt(variance), EPSILON); where INVERT, y = mean + x * s. The mean of x[n, h, w, c] is that
// of cell h * ROW_STRIDE + w * COLUMN_STRIDE + c * CHANNEL_STRIDE: strides are 0 along axes that share one.
// One invocation per Real of y. With four floats to a Real, every channel has a mean of its own.
//
// x        [SAMPLES, IMAGE_H, IMAGE_W, CHANNELS]
// mean     [CELLS]
// variance [CELLS]
// y        [SAMPLES, IMAGE_H, IMAGE_W, CHANNELS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> mean: array<Real>;
@group(0) @binding(2) var<storage, read> variance: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

const REALS = CHANNELS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let w = index / REALS % IMAGE_W;
    let h = index / (REALS * IMAGE_W) % IMAGE_H;
    let cell = h * (ROW_STRIDE / WIDTH) + w * (COLUMN_STRIDE / WIDTH) + c * CHANNEL_STRIDE;
    let average = mean[MEAN_BASE + cell];
    let deviation = max(sqrt(variance[VARIANCE_BASE + cell]), Real(EPSILON));
    let value = x[X_BASE + index];
    y[Y_BASE + index] = select((value - average) / deviation, average + value * deviation, INVERT);
}
