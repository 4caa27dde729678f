"""Predictions in closed form: one line of code per derived equation.

A label at the end of a line, such as (3.2), is the number of that equation
in the book; the first number is the chapter.  All functions broadcast.  The
simulations that these predict run in the chapters and in the tests.

A module a chapter; every function is a name of this package too,
`theory.half_life` for example, which refuses a decay rate that is none: a
formula would go on with β = 9 and return a number.
"""

from functools import wraps
from inspect import isfunction, signature

import numpy as np

from descent.theory.gradient_descent import (best_factor, best_rate,
                                             eigen_coordinate, height,
                                             largest_stable_rate,
                                             mean_square_gradient,
                                             rate_in_old_units,
                                             steps_at_best_rate,
                                             steps_proportional_to_kappa,
                                             worst_factor)
from descent.theory.averages import (exponential_average, half_life,
                                     lag_on_ramp, mean_age,
                                     minibatch_second_moment,
                                     minibatch_variance,
                                     minibatch_variance_without,
                                     plain_mean_length, unrolled_average,
                                     variance_factor, weight_of_last,
                                     weight_of_window)
from descent.theory.rmsprop import (adagrad_step, drift_on_cycle,
                                    drift_to_first_order, largest_rmsprop_step,
                                    mass, rattle, rmsprop_rate_in_old_units,
                                    rmsprop_step, second_moment_on_cycle,
                                    unrolled_second_moment)
from descent.theory.memory import (first_step_after_jump, harmless_clip,
                                   lost_travel, second_moment_after_jump,
                                   second_moment_after_spike, speed_after_jump,
                                   speed_of_average, steps_after_spike,
                                   steps_to_excess, steps_to_half_speed,
                                   steps_to_speed)
from descent.theory.small_print import (centered_moment, centered_step,
                                        centered_until_cap,
                                        centered_until_rounding,
                                        eps_inside_for,
                                        momentum_after_rate_change,
                                        settled_step, settled_step_inside,
                                        stall_gap, translation_gap)
from descent.theory.momentum import (average_noise, best_factor_with_momentum,
                                     best_rate_with_momentum, heavy_ball_rate,
                                     heavy_ball_step, height_at_best_momentum,
                                     largest_stable_rate_with_momentum,
                                     momentum_matrix, momentum_noise,
                                     momentum_radius, momentum_recursion,
                                     momentum_roots, nesterov_roots,
                                     oscillation_period, oscillation_range,
                                     rmsprop_momentum_start)
from descent.theory.bias_correction import (corrected_weights, drift_remainder,
                                            expected_average,
                                            expected_drifting_moment,
                                            is_longer_uncorrected, lag,
                                            last_step_above, mass_times_age,
                                            startup_ratio,
                                            startup_ratio_first_only,
                                            unrolled_first_moment, worst_ratio,
                                            worst_step)
from descent.theory.adam import (adam_drift_on_cycle, adam_speed_after_jump,
                                 adam_speed_after_spike, adam_step_on_signs,
                                 eps_after_correction, eps_before_correction,
                                 first_adam_step, first_moment_on_cycle,
                                 lurch, rate_before_correction,
                                 rmsprop_momentum_step_on_signs,
                                 share_of_drift, step_with_wrong_t)
from descent.theory.step_bounds import (bound_after_silence, echo_step,
                                        farthest, geometric_sum, sharp_bound,
                                        sharp_bound_ever, sharp_bound_sum,
                                        single_gradient_step, squared_excess,
                                        squared_excess_ever, step_on_growth,
                                        worst_growth)
from descent.theory.signal_and_noise import (distance_under_schedule,
                                             equal_betas_step, expected_spread,
                                             mean_step,
                                             mean_step_to_second_order,
                                             noise_floor, noise_floor_of_loss,
                                             rms_on_noise_to_second_order,
                                             rms_step, rms_step_on_noise,
                                             signal_share, spread)
from descent.theory.convergence import (amsgrad_reddi_drift, average_regret,
                                        progress_on_the_slope,
                                        raw_over_corrected, reddi_balance,
                                        reddi_drift, reddi_second_moment,
                                        reddi_threshold,
                                        reddi_threshold_near_two,
                                        resting_regret, threshold_from_cubes,
                                        threshold_in_random_order,
                                        wrong_limit)
from descent.theory.comparison import (deviation_of_difference,
                                       eps_of_unscaled_loss, expected_best,
                                       paired_interval, rise_per_decade,
                                       same_memory, t_factor)
from descent.theory.geometry import (class_loss, condition_left, gap_needed,
                                     gradient_on_the_line, next_gap,
                                     scaled_time, sign_steps, step_under_swing,
                                     turned_gradient, turned_path)
from descent.theory.transformer import (mean_startup_ratio,
                                        mean_startup_ratio_late)
from descent.theory.costs import (crossing, gain_at_once, least_time, memory,
                                  must_move, passes_over_floor, step_time)
from descent.theory.depth import (input_variance, layer_factor,
                                  settled_variance, signal_to_noise)
from descent.theory.starts import first_step_from
from descent.theory.weight_decay import (adamw_of_the_paper, averaged_step,
                                         carried_decay, kept_with_adamw,
                                         kept_with_l2, kept_with_the_paper,
                                         rest_with_adamw, rest_with_l2,
                                         scatter)


def _with_decay_rates(formula):
    """`formula`, which looks first whether its decay rates are from 0 to 1, the limits included."""
    rates = [(at, name) for at, name in enumerate(signature(formula).parameters)
             if name in ("beta", "beta1", "beta2", "mu")]

    @wraps(formula)
    def checked(*args, **kwargs):
        for at, name in rates:
            value = args[at] if at < len(args) else kwargs.get(name)
            numbers = np.asarray(value)
            if numbers.dtype.kind in "fiu":   # and no symbol
                good = (numbers >= 0) & (numbers <= 1)
                if not good.all():
                    raise ValueError(f"{name} = {numbers[~good].flat[0]} must be from 0 to 1")
        return formula(*args, **kwargs)

    return checked if rates else formula


for _name, _formula in list(vars().items()):
    if isfunction(_formula) and _formula.__module__.startswith(__name__ + "."):
        vars()[_name] = _with_decay_rates(_formula)
