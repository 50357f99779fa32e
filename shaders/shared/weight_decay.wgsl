// A weight before its update: w - w * WEIGHT_DECAY * learning_rate when DECAYS.
fn decayed(w: Real) -> Real {
    if DECAYS {
        return w - w * WEIGHT_DECAY * batch.learning_rate;
    }
    return w;
}
