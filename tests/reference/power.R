# Reference values of planned studies: balanced designs whose analysis is a t test of means, so that R's own
# power.t.test (strict: both tails of the noncentral t) answers exactly. Groups randomised: two samples of group means.
# Random blocks: one sample of block differences. Two classes per school: one sample of paired differences.
# Run from the root: Rscript tests/reference/power.R
# It writes power.json beside itself. `sd` is that of a group mean, or of a block difference.
suppressPackageStartupMessages(library(jsonlite))

case <- function(design, n, sd, type, alternative = "two.sided", alpha = .05, power = .8, effect = .3) {
  ask <- function(...) {
    power.t.test(n = n, sd = sd, sig.level = alpha, type = type, alternative = alternative, strict = TRUE,
                 tol = 1e-12, ...)
  }
  list(design = design, two_sided = alternative == "two.sided", alpha = alpha, power = power, effect = effect,
       mdes = ask(power = power)$delta, power_of_effect = ask(delta = effect)$power)
}

values <- list(
  case(list(levels = 1, treatment_level = 1, pupils = 250), 125, 1, "two.sample"),
  case(list(levels = 2, treatment_level = 2, schools = 20, pupils_per_school = 15, icc_school = .17),
       10, sqrt(.17 + .83 / 15), "two.sample"),
  case(list(levels = 2, treatment_level = 2, classes = 8, pupils_per_class = 40, icc_class = .1),
       4, sqrt(.1 + .9 / 40), "two.sample", alternative = "one.sided", alpha = .1, power = .9),
  case(list(levels = 3, treatment_level = 3, schools = 26, classes_per_school = 20, pupils_per_class = 45,
            icc_school = .15, icc_class = .05),
       13, sqrt(.15 + .05 / 20 + .8 / 900), "two.sample"),
  case(list(levels = 2, treatment_level = 1, schools = 20, pupils_per_school = 16, icc_school = .2,
            blocks = "random", omega_school = .5),
       20, sqrt(.5 * .2 + 4 * .8 / 16), "one.sample"),
  case(list(levels = 3, treatment_level = 2, schools = 24, classes_per_school = 6, pupils_per_class = 10,
            icc_school = .13, icc_class = .1, blocks = "random", omega_school = .4),
       24, sqrt(.4 * .13 + 4 * (.1 + .77 / 10) / 6), "one.sample"),
  case(list(levels = 3, treatment_level = 1, schools = 6, classes_per_school = 4, pupils_per_class = 30,
            icc_school = .2, icc_class = .15, blocks = "random", omega_school = .1, omega_class = .2),
       6, sqrt(.1 * .2 + (.2 * .15 + 4 * .65 / 30) / 4), "one.sample"),
  case(list(levels = 3, treatment_level = 2, schools = 12, classes_per_school = 2, pupils_per_class = 40,
            icc_school = .15, icc_class = .1, blocks = "constant"),
       12, sqrt(2 * (.1 + .75 / 40)), "one.sample", power = .9)
)
write(toJSON(list(made_with = list(R = R.version.string), designs = values), auto_unbox = TRUE, digits = NA,
             pretty = TRUE), "tests/reference/power.json")
