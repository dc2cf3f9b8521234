# Reference values of estimated marginal means: emmeans on lmer fits, with Satterthwaite's (lmerTest) and Kenward-Roger's
# (pbkrtest) degrees of freedom. Run from the root: Rscript tests/reference/marginal_means.R
# It writes marginal_means.json beside itself. The data are those of mlmRev, categories sorted.
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(emmeans)
  library(mlmRev)
  library(jsonlite)
})
emm_options(lmer.df = "satterthwaite", lmerTest.limit = 1e5, pbkrtest.limit = 1e5)
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-11, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore")

plain <- function(frame) {
  frame[] <- lapply(frame, function(x) {
    if (is.factor(x)) factor(as.character(x), levels = sort(unique(as.character(x)), method = "radix")) else x
  })
  frame
}
grade3 <- plain(subset(star, gr == "3"))
grade3$cltype <- relevel(grade3$cltype, "reg")
grade3 <- droplevels(na.omit(grade3[, c("math", "cltype", "ses", "schtype", "exp", "sx", "sch", "tch")]))
few <- plain(Exam)
few <- few[as.character(few$school) %in% sort(unique(as.character(few$school)), method = "radix")[1:20], ]

one <- function(fit, by, at, weights, mode, adjust) {
  grid <- if (is.null(at)) emmeans(fit, by, weights = weights, lmer.df = mode, cov.keep = character(0))
          else emmeans(fit, by, at = at, weights = weights, lmer.df = mode, cov.keep = character(0))
  means <- as.data.frame(summary(grid))
  difference <- as.data.frame(summary(pairs(grid, adjust = adjust), infer = c(TRUE, TRUE)))
  list(by = by, at = at, weights = weights, df_method = mode, adjust = adjust,
       levels = lapply(means[by], as.character),
       estimate = means$emmean, std_error = means$SE, df = means$df, conf_low = means$lower.CL,
       conf_high = means$upper.CL,
       pairs = list(estimate = difference$estimate, std_error = difference$SE, df = difference$df,
                    statistic = difference$t.ratio, p_value = difference$p.value,
                    conf_low = difference$lower.CL, conf_high = difference$upper.CL))
}

first <- lmer(math ~ cltype * schtype + ses + sx + scale(exp) + I(exp^2) + (1 | sch / tch), grade3, control = tight)
second <- lmer(normexam ~ standLRT * sex + type + poly(schavg, 2) + (1 + standLRT | school), few, control = tight)
values <- list(
  list(data = "star3", formula = "math ~ cltype * schtype + ses + sx + scale(exp) + I(exp**2) + (1 | sch/tch)",
       means = list(one(first, "cltype", NULL, "equal", "satterthwaite", "holm"),
                    one(first, "cltype", NULL, "proportional", "satterthwaite", "tukey"),
                    one(first, c("schtype", "ses"), list(exp = 5), "proportional", "satterthwaite", "none"))),
  list(data = "Exam", formula = "normexam ~ standLRT * sex + type + poly(schavg, 2) + (1 + standLRT | school)",
       means = list(one(second, "sex", NULL, "equal", "kenward-roger", "holm"),
                    one(second, "standLRT", list(standLRT = c(-1, 0, 1)), "equal", "kenward-roger", "tukey"),
                    one(second, c("sex", "standLRT"), list(standLRT = c(-1, 1)), "proportional", "kenward-roger",
                        "tukey")))
)
made <- list(R = R.version.string)
for (name in c("lme4", "lmerTest", "pbkrtest", "emmeans", "mlmRev")) {
  made[[name]] <- as.character(packageVersion(name))
}
write(toJSON(list(made_with = made, models = values), auto_unbox = TRUE, digits = NA, null = "null", pretty = TRUE),
      "tests/reference/marginal_means.json")
