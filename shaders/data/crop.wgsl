// import shared/linear_index.wgsl

// crop: dx[n, h, w, c] = dy[n, TOP + h, LEFT + w, c], the gradient of pad.
// One invocation per Real of dx.
//
// dy [BATCH, OUT_H, OUT_W, CHANNELS]
// dx [BATCH, IN_H, IN_W, CHANNELS]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read_write> dx: array<Real>;

const REALS = CHANNELS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let w = index / REALS % IN_W;
    let h = index / (REALS * IN_W) % IN_H;
    let n = index / (REALS * IN_W * IN_H);
    dx[DX_BASE + index] = dy[DY_BASE + ((n * OUT_H + TOP + h) * OUT_W + LEFT + w) * REALS + c];
}
