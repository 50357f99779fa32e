// import shared/linear_index.wgsl

// conv2d_backward_input where each channel is a group of its own:
// dx[n, h, w, c] = sum_{p, q} dy[n, (TOP+h-p*dh)/sh, (LEFT+w-q*dw)/sw, c] * kernel[p, q, 0, c], over the taps for which both
// quotients are whole and inside the output.
// One invocation per position of dx and four channels.
//
// dy     [BATCH, OUT_H, OUT_W, OUT_C]
// kernel [KERNEL_H, KERNEL_W, 1, OUT_C]
// dx     [BATCH, PART_H, PART_W, OUT_C]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read_write> dx: array<Real>;

const REALS = OUT_C / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let w = index / REALS % PART_W + LEFT;
    let h = index / (REALS * PART_W) % PART_H + TOP;
    let n = index / (REALS * PART_W * PART_H);
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
            let window = ((n * OUT_H + i) * OUT_W + j) * REALS + c;
            sum += dy[DY_BASE + window] * kernel[KERNEL_BASE + (p * KERNEL_W + q) * REALS + c];
        }
    }
    dx[DX_BASE + index] = sum;
}
