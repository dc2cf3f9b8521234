# Two groups before and after, on anorexia (MASS): analysis of covariance, gains, unequal slopes, a permutation test
# within strata by brute force, proportional odds. Run from the root: Rscript tests/reference/two_groups.R.
# It writes two_groups.json beside itself.
suppressPackageStartupMessages({
  library(MASS)
  library(jsonlite)
})
data <- anorexia
data$Treat <- relevel(data$Treat, ref = "Cont")
line <- function(fit, term) {
  s <- summary(fit)$coefficients[term, ]
  list(estimate = s[[1]], std_error = s[[2]], statistic = s[[3]], p_value = s[[4]], df = fit$df.residual,
       conf_low = confint(fit)[term, 1], conf_high = confint(fit)[term, 2])
}
terms <- c("TreatCBT", "TreatFT")
ancova <- lm(Postwt ~ Prewt + Treat, data)
gain <- lm(I(Postwt - Prewt) ~ Treat, data)
slopes <- anova(ancova, lm(Postwt ~ Prewt * Treat, data))

# Strata: lighter and heavier than the median at the start.
data$half <- ifelse(data$Prewt > median(data$Prewt), "heavy", "light")
stratified <- lm(Postwt ~ Prewt + Treat + half, data)

# Brute force: the first girls of each stratum, every way of dealing the labels out within strata.
some <- do.call(rbind, lapply(split(data[data$Treat != "CBT", ], ~ half + Treat, drop = TRUE), head, 3))
ways <- combn(6, 3)
found <- c()
blocks <- split(seq_len(nrow(some)), some$half)
for (i in seq_len(ncol(ways))) for (j in seq_len(ncol(ways))) {
  label <- numeric(nrow(some))
  label[blocks[[1]][ways[, i]]] <- 1
  label[blocks[[2]][ways[, j]]] <- 1
  found <- c(found, coef(lm(Postwt ~ Prewt + label + half, some))["label"])
}
observed <- coef(lm(Postwt ~ Prewt + I(Treat == "FT") + half, some))[[3]]
permutation <- list(rows = as.integer(rownames(data)[match(sub(".*\\.", "", rownames(some)), rownames(data))]),
                    observed = observed, p_value = mean(abs(found) >= abs(observed) - 1e-9),
                    smallest = mean(abs(found) >= max(abs(found)) - 1e-9), n = length(found))

cuts <- c(-Inf, 78, 84, 92, Inf)
data$grade <- factor(as.integer(cut(data$Postwt, cuts)), ordered = TRUE)
odds <- polr(grade ~ Prewt + Treat, data, Hess = TRUE, control = list(reltol = 1e-14))
odds_rows <- lapply(terms, function(t) list(
  estimate = coef(odds)[[t]], std_error = coef(summary(odds))[t, "Std. Error"]))

write_json(list(
  ancova = lapply(c(terms, "Prewt"), function(t) line(ancova, t)), r_squared = summary(ancova)$r.squared,
  sigma = summary(ancova)$sigma, gain = lapply(terms, function(t) line(gain, t)),
  stratified = lapply(terms, function(t) line(stratified, t)),
  slopes = list(statistic = slopes$F[2], p_value = slopes$`Pr(>F)`[2], df = slopes$Res.Df[2], df1 = slopes$Df[2]),
  permutation = permutation, cuts = cuts[2:4], odds = odds_rows,
  thresholds = unname(odds$zeta), log_likelihood = as.numeric(logLik(odds))
), "tests/reference/two_groups.json", auto_unbox = TRUE, digits = 12, pretty = TRUE)
