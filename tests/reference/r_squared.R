# Rights & Sterba's (2019) decomposition written out from the paper's formulas for two levels and predictors centred
# within clusters, on lme4's estimates. Run from the root: Rscript tests/reference/r_squared.R
# It writes r_squared.json beside itself. Days of sleepstudy is balanced: the same ten days for everybody.
suppressPackageStartupMessages({
  library(lme4)
  library(mlmRev)
  library(jsonlite)
})
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-11, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore")

reference <- function(data, name, formula, group, within, between, slopes) {
  fit <- lmer(formula, data, control = tight)
  gamma <- fixef(fit)
  T <- matrix(VarCorr(fit)[[group]], nrow = 1 + length(slopes))
  f1 <- if (length(within)) as.numeric(t(gamma[within]) %*% cov(as.matrix(data[within])) %*% gamma[within]) else 0
  f2 <- if (length(between)) as.numeric(t(gamma[between]) %*% cov(as.matrix(data[between])) %*% gamma[between]) else 0
  n <- nrow(data)
  # T with the covariances of the slopes' predictors, here with divisor n.
  v <- sum(diag(as.matrix(T[-1, -1]) %*% cov(as.matrix(data[slopes])) * (n - 1) / n))
  m <- T[1, 1]
  list(data = name, formula = deparse1(formula), f1 = f1, f2 = f2, v = v, m = m, residual = sigma(fit)^2)
}

balanced <- transform(sleepstudy, day = Days - 4.5)
schools <- transform(Hsb82, centred = ses - ave(ses, school))
schools$mean <- ave(schools$ses, schools$school)
values <- list(
  reference(balanced, "sleepstudy", Reaction ~ day + (1 + day | Subject), "Subject", "day", character(0), "day"),
  reference(schools, "Hsb82", mAch ~ centred + mean + (1 + centred | school), "school", "centred", "mean", "centred")
)
made <- list(R = R.version.string)
for (name in c("lme4", "mlmRev")) made[[name]] <- as.character(packageVersion(name))
write(toJSON(list(made_with = made, models = values), auto_unbox = TRUE, digits = NA, pretty = TRUE),
      "tests/reference/r_squared.json")
