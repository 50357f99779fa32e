// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl

// lion_update, after weight decay (shared/weight_decay.wgsl):
//   w <- w - learning_rate * sign(beta_1*m + (1 - beta_1)*g)
//   m <- beta_2*m + (1 - beta_2)*g
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

// 1, -1, or x where it is neither above nor below 0, so that a NaN stays one.
fn sign_of(x: Real) -> Real {
    return select(select(x, Real(-1.0), x < Real()), Real(1.0), x > Real());
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let g = gradient[GRADIENT_BASE + index];
    let m_before = state[STATE_BASE + index];
    let before = parameter[PARAMETER_BASE + index];
    let direction = sign_of(BETA_1 * m_before + ONE_MINUS_BETA_1 * g);
    let w = decayed(before) - batch.learning_rate * direction;
    let m = BETA_2 * m_before + ONE_MINUS_BETA_2 * g;
    watch(g);
    state[STATE_BASE + index] = followed(g, m_before, m);
    parameter[PARAMETER_BASE + index] = followed(g, before, w);
    report();
}
