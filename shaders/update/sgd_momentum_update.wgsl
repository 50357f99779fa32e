// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl

// sgd_momentum_update, after weight decay (shared/weight_decay.wgsl):
//   m <- MOMENTUM*m - learning_rate*g
//   w <- w + m;  when NESTEROV:  w <- w + MOMENTUM*m - learning_rate*g
// Unless the tripwire (shared/tripwire.wgsl) forbids it. One invocation per Real.
//
// gradient  [len]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [1, len]: m
// parameter [len]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> state: array<Real>;
@group(0) @binding(4) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let g = gradient[GRADIENT_BASE + index];
    let before = parameter[PARAMETER_BASE + index];
    let m_before = state[STATE_BASE + index];
    let u = batch.learning_rate * g;
    let m = MOMENTUM * m_before - u;
    var w = decayed(before);
    if NESTEROV {
        w += MOMENTUM * m - u;
    } else {
        w += m;
    }
    watch(g);
    state[STATE_BASE + index] = followed(g, m_before, m);
    parameter[PARAMETER_BASE + index] = followed(g, before, w);
    report();
}
