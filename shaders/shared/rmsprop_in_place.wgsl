// RMSprop (shared/rmsprop.wgsl) with the gradient g of one Real of parameter and state, [LEN] and [slots, LEN].
fn update(g: Real, place: u32) {
    let v_place = STATE_BASE + place;
    let m_place = v_place + M_SLOT * (LEN / WIDTH);
    let a_place = v_place + A_SLOT * (LEN / WIDTH);
    var weight = Weight(parameter[PARAMETER_BASE + place], state[v_place], Real(), Real());
    if WITH_MOMENTUM {
        weight.m = state[m_place];
    }
    if CENTERED {
        weight.a = state[a_place];
    }
    weight = rmsprop(g, weight);
    parameter[PARAMETER_BASE + place] = weight.w;
    state[v_place] = weight.v;
    if WITH_MOMENTUM {
        state[m_place] = weight.m;
    }
    if CENTERED {
        state[a_place] = weight.a;
    }
}
