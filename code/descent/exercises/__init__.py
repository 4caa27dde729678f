"""Checks for the exercises, one module a chapter; `engine` does the checking, `mistakes` knows the usual ones."""

from descent.exercises.engine import Verdict, check_function, check_value
from descent.exercises.mistakes import (BROKEN_ADAMS, BROKEN_RMSPROPS,
                                        check_adam, check_rmsprop)
from descent.exercises.chapter_01 import (check_axis_limit,
                                          check_condition_after_rescaling,
                                          check_rates_of_layers,
                                          check_three_rates)
from descent.exercises.chapter_02 import (check_backwards_average,
                                          check_beat_both_means,
                                          check_half_lives, check_larger_batch,
                                          check_nothing_comes_twice)
from descent.exercises.chapter_03 import (check_beat_hinton, check_bring_to_rest,
                                          check_drift_from_skewness,
                                          check_frugal_step)
from descent.exercises.chapter_04 import (check_clipped_rmsprop,
                                          check_decay_rate_for,
                                          check_even_travel,
                                          check_worst_decay_rate)
from descent.exercises.chapter_05 import (check_best_translation, check_noise,
                                          check_rattle, check_runaway)
from descent.exercises.chapter_06 import (check_dampened_weights,
                                          check_nesterov_limit,
                                          check_twenty_rates,
                                          check_window_of_rates)
from descent.exercises.chapter_07 import (check_corrected_average,
                                          check_mean_inverse_root,
                                          check_resumable, check_resumed_step,
                                          check_right_first_step,
                                          check_schedule)
from descent.exercises.chapter_08 import (check_shortest_test,
                                          check_stuck_counter,
                                          check_two_steps)
from descent.exercises.chapter_09 import (check_counterexample, check_my_bound,
                                          check_never_silent)
from descent.exercises.chapter_10 import (check_dealt_noise, check_decay,
                                          check_share_on_noise,
                                          check_signal_share,
                                          check_signal_shows)
from descent.exercises.chapter_11 import (check_amsgrad, check_broken_default,
                                          check_mean_step_of_pairs,
                                          check_two_maxima)
from descent.exercises.chapter_12 import (check_best_with_replacement,
                                          check_published,
                                          check_unfair_lines)
from descent.exercises.chapter_13 import check_axes, check_steps_turned
from descent.exercises.chapter_14 import (check_best_of_eight,
                                          check_case_against, check_fair_best,
                                          check_gap, check_rare_share,
                                          check_survivors)
from descent.exercises.chapter_15 import check_lean_step, check_twin_averages
from descent.exercises.chapter_16 import (check_critical_weights,
                                          check_eps_in_depth,
                                          check_plain_descent_in_depth)
from descent.exercises.chapter_17 import check_broken_adam, check_made_true
from descent.exercises.frameworks import (check_converter,
                                          check_tensorflow_by_hand,
                                          check_two_directions)
from descent.exercises.chapter_18 import (check_resting_places,
                                          check_whose_decay)
