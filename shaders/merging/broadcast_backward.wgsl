// import shared/linear_index.wgsl

// broadcast_backward: dx[n, h, w, c] = the sum of dy over the dimensions in which dx has 1, in row-major order.
// One invocation per Real of dx. With four floats to a Real, dx has all channels.
//
// dy [SAMPLES, IMAGE_H, IMAGE_W, CHANNELS]
// dx [SAMPLES, SMALL_H, SMALL_W, SMALL_CHANNELS]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read_write> dx: array<Real>;

const REALS = CHANNELS / WIDTH;
const SMALL_REALS = (SMALL_CHANNELS + WIDTH - 1u) / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % SMALL_REALS;
    let w = index / SMALL_REALS % SMALL_W;
    let h = index / (SMALL_REALS * SMALL_W) % SMALL_H;
    let n = index / (SMALL_REALS * SMALL_W * SMALL_H);
    var sum = Real();
    for (var i = h; i < IMAGE_H; i += SMALL_H) {
        for (var j = w; j < IMAGE_W; j += SMALL_W) {
            for (var k = c; k < REALS; k += SMALL_REALS) {
                sum += dy[DY_BASE + ((n * IMAGE_H + i) * IMAGE_W + j) * REALS + k];
            }
        }
    }
    dx[DX_BASE + index] = sum;
}
