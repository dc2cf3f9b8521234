# Reference values of standardised effects: lmerTest's fits, its covariance of the variance parameters (theta, sigma)
# from the observed information, and the delta method by numerical derivatives (numDeriv).
# Run from the root: Rscript tests/reference/standardised.R. It writes standardised.json beside itself.
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(numDeriv)
  library(mlmRev)
  library(jsonlite)
})
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
few <- plain(Exam)
few <- few[as.character(few$school) %in% sort(unique(as.character(few$school)), method = "radix")[1:20], ]

# implied: the variances of the random part and the residual that count, given (theta, sigma)
reference <- function(data, name, formula, implied, numeric, total) {
  frame <- droplevels(na.omit(data[, all.vars(formula)]))
  fit <- lmerTest::lmer(formula, frame, control = tight)
  fit <- as_lmerModLmerTest(fit)
  X <- getME(fit, "X"); beta <- fixef(fit); terms <- colnames(X)
  omega <- c(getME(fit, "theta"), sigma(fit)); spread <- fit@vcov_varpar
  df <- summary(fit)$coefficients[, "df"]
  rows <- lapply(seq_along(terms)[-1], function(j) {
    own <- if (terms[j] %in% numeric) character(0) else terms[startsWith(terms, gsub("(reg.*|small|M|N)$", "", terms[j]))]
    counted <- total & !(terms %in% own)
    scale <- if (terms[j] %in% numeric) sd(X[, j]) else 1
    effect <- function(p) {
      b <- p[seq_along(beta)]; o <- p[-seq_along(beta)]
      fixed <- if (any(counted)) var(as.numeric(X[, counted, drop = FALSE] %*% b[counted])) else 0
      scale * b[j] / sqrt(fixed + implied(o, frame))
    }
    at <- c(beta, omega)
    slope <- grad(effect, at)
    whole <- matrix(0, length(at), length(at))
    whole[seq_along(beta), seq_along(beta)] <- as.matrix(vcov(fit))
    whole[-seq_along(beta), -seq_along(beta)] <- spread
    c(effect(at), sqrt(as.numeric(t(slope) %*% whole %*% slope)), df[j])
  })
  rows <- do.call(rbind, rows)
  list(data = name, formula = deparse1(formula), term = terms[-1], estimate = rows[, 1], std_error = rows[, 2],
       df = rows[, 3])
}

intercepts <- function(o, frame) o[3]^2 * (1 + o[1]^2 + o[2]^2)
within <- function(o, frame) o[3]^2 * (1 + o[1]^2)   # lme4 puts tch:sch first
slopes <- function(o, frame) {
  L <- matrix(c(o[1], o[2], 0, o[3]), 2)
  second <- crossprod(cbind(1, frame$standLRT)) / nrow(frame)
  o[4]^2 * (1 + sum(L %*% t(L) * second))
}
residual <- function(o, frame) o[length(o)]^2
star_formula <- math ~ cltype + ses + exp + sx + (1 | sch / tch)
exam_formula <- normexam ~ standLRT + sex + (1 + standLRT | school)
values <- list(
  c(by = "total", reference(grade3, "star3", star_formula, intercepts, "exp", TRUE)),
  c(by = "within", reference(grade3, "star3", star_formula, within, "exp", FALSE)),
  c(by = "residual", reference(grade3, "star3", star_formula, residual, "exp", FALSE)),
  c(by = "total", reference(few, "Exam", exam_formula, slopes, "standLRT", TRUE))
)
made <- list(R = R.version.string)
for (name in c("lme4", "lmerTest", "numDeriv", "mlmRev")) made[[name]] <- as.character(packageVersion(name))
write(toJSON(list(made_with = made, models = values), auto_unbox = TRUE, digits = NA, pretty = TRUE),
      "tests/reference/standardised.json")
