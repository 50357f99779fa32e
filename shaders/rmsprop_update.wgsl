// rmsprop_update: RMSprop (shared/rmsprop.wgsl) over all weights but HOLE_LEN of them from HOLE_FIRST, which another step
// updates. One invocation per Real.
//
// gradient  [LEN]
// state     [slots, LEN]: v, then m when WITH_MOMENTUM, then a when CENTERED
// parameter [LEN]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read_write> state: array<Real>;
@group(0) @binding(2) var<storage, read_write> parameter: array<Real>;

const REALS = LEN / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    var index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    if index >= HOLE_FIRST / WIDTH {
        index += HOLE_LEN / WIDTH;
    }
    let m_place = STATE_BASE + M_SLOT * REALS + index;
    let a_place = STATE_BASE + A_SLOT * REALS + index;
    var weight = Weight(parameter[PARAMETER_BASE + index], state[STATE_BASE + index], Real(), Real());
    if WITH_MOMENTUM {
        weight.m = state[m_place];
    }
    if CENTERED {
        weight.a = state[a_place];
    }
    weight = rmsprop(gradient[GRADIENT_BASE + index], weight);
    parameter[PARAMETER_BASE + index] = weight.w;
    state[STATE_BASE + index] = weight.v;
    if WITH_MOMENTUM {
        state[m_place] = weight.m;
    }
    if CENTERED {
        state[a_place] = weight.a;
    }
}
