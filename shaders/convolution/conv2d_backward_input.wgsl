// import shared/linear_index.wgsl
// import shared/horizontal_{scalar,vec4}.wgsl

// conv2d_backward_input: dx[n, h, w, c] = sum_{p, q, o} dy[n, (TOP+h-p*dh)/sh, (LEFT+w-q*dw)/sw, o] * kernel[p, q, c, o],
// over the taps for which both quotients are whole and inside the output, and the outputs of the group of c; in the kernel, c
// counts from its group's first channel.
// One invocation per element of dx: it gathers, so that no two invocations write the same place.
//
// dy     [BATCH, OUT_H, OUT_W, OUT_C]
// kernel [KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]
// dx     [BATCH, PART_H, PART_W, IN_C]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

const OUT_REALS = OUT_C / WIDTH;
const GROUP_REALS = GROUP_OUT / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % IN_C;
    let w = index / IN_C % PART_W + LEFT;
    let h = index / (IN_C * PART_W) % PART_H + TOP;
    let n = index / (IN_C * PART_W * PART_H);
    // The first outputs that read this channel.
    let first = c / GROUP_IN * GROUP_REALS;
    var sum = Real();
    for (var p = 0u; p < KERNEL_H; p++) {
        // The output row that reads row h through tap p, if there is one.
        let down = p * DILATION_H;
        let i = (h - down) / STRIDE_H;
        if h < down || i * STRIDE_H != h - down || i >= OUT_H {
            continue;
        }
        for (var q = 0u; q < KERNEL_W; q++) {
            let along = q * DILATION_W;
            let j = (w - along) / STRIDE_W;
            if w < along || j * STRIDE_W != w - along || j >= OUT_W {
                continue;
            }
            let window = ((n * OUT_H + i) * OUT_W + j) * OUT_REALS + first;
            let tap = ((p * KERNEL_W + q) * GROUP_IN + c % GROUP_IN) * OUT_REALS + first;
            for (var o = 0u; o < GROUP_REALS; o++) {
                sum += dy[DY_BASE + window + o] * kernel[KERNEL_BASE + tap + o];
            }
        }
    }
    dx[DX_BASE + index] = horizontal(sum);
}
