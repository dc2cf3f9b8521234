# Reliability, agreement and careless answers on bfi (psych) and Hsb82 (mlmRev).
# Run from the root: Rscript tests/reference/reliability.R. It writes reliability.json beside itself. psych and lavaan
# where they have it; what they lack (ADF interval of alpha, indices of careless answers, r_wg, the standard error of
# weighted kappa) is written out from the definitions in the papers, and of careless 1.2.2 in its manual.
suppressPackageStartupMessages({
  library(psych)
  library(lavaan)
  library(mlmRev)
  library(jsonlite)
})
options(warn = -1)
reversed <- c("A1", "C4", "C5", "E1", "E2", "O2", "O5")
groups <- list(all = rep(TRUE, nrow(bfi)), men = bfi$gender == 1, women = bfi$gender == 2)
turned <- function(items) {
  for (name in intersect(names(items), reversed)) items[[name]] <- 7 - items[[name]]
  items
}

# Maydeu-Olivares, Coffman & Hartmann (2007): delta' Gamma delta with the whole matrix of fourth moments.
adf <- function(items) {
  x <- scale(as.matrix(na.omit(items)), scale = FALSE)
  n <- nrow(x); k <- ncol(x); S <- cov(x); total <- sum(S); trace <- sum(diag(S))
  pairs <- which(lower.tri(S, diag = TRUE), arr.ind = TRUE)
  products <- x[, pairs[, 1]] * x[, pairs[, 2]]
  on_diagonal <- pairs[, 1] == pairs[, 2]
  delta <- k / (k - 1) * ifelse(on_diagonal, -(total - trace) / total^2, 2 * trace / total^2)
  sqrt(as.numeric(t(delta) %*% cov(products) %*% delta) / n)
}

alphas <- list(); omegas <- list()
for (scale_name in c("A", "C", "E", "N", "O")) for (group in names(groups)) {
  items <- turned(bfi[groups[[group]], paste0(scale_name, 1:5)])
  complete <- na.omit(items)
  for (missing in c("listwise", "pairwise")) {
    a <- alpha(if (missing == "listwise") complete else items, check.keys = FALSE)
    alphas[[length(alphas) + 1]] <- list(
      scale = scale_name, group = group, missing = missing, n = nrow(complete), alpha = a$total$raw_alpha,
      standardised = a$total$std.alpha, average_r = a$total$average_r,
      normal = if (missing == "listwise") a$total$ase else NULL,
      feldt = if (missing == "listwise") c(a$feldt$lower.ci[[1]], a$feldt$upper.ci[[1]]) else NULL,
      adf = if (missing == "listwise") adf(items) else NULL,
      item_rest = a$item.stats$r.drop, alpha_if_dropped = a$alpha.drop$raw_alpha,
      skew = describe(if (missing == "listwise") complete else items)$skew,
      kurtosis = describe(if (missing == "listwise") complete else items)$kurtosis)
  }
  name <- names(items)
  model <- paste0("f =~ ", paste0("l", 1:5, "*", name, collapse = " + "), "\n",
                  paste0(name, " ~~ t", 1:5, "*", name, collapse = "\n"),
                  "\nomega := (l1+l2+l3+l4+l5)^2 / ((l1+l2+l3+l4+l5)^2 + t1+t2+t3+t4+t5)")
  of <- function(estimator) {
    fit <- cfa(model, complete, std.lv = TRUE, estimator = estimator)
    found <- parameterEstimates(fit)
    found[found$lhs == "omega", c("est", "se")]
  }
  omegas[[length(omegas) + 1]] <- list(scale = scale_name, group = group, omega = of("ML")$est, normal = of("ML")$se,
                                       robust = of("MLM")$se)
}

hierarchical <- list()
for (set in c("ACE", "CEN", "AEO", "ACN")) {
  items <- turned(na.omit(bfi[paste0(rep(strsplit(set, "")[[1]], each = 5), 1:5)]))
  found <- omega(items, 3, plot = FALSE, flip = FALSE)
  hierarchical[[length(hierarchical) + 1]] <- list(scales = set, hierarchical = found$omega_h, total = found$omega.tot)
}

# --- agreement within groups ---
anova_of <- function(score, group) {
  table <- anova(lm(score ~ factor(as.character(group))))
  ms <- table[["Mean Sq"]]; size <- mean(table(group)); f <- ms[1] / ms[2]
  list(ms_between = ms[1], ms_within = ms[2], icc1 = (ms[1] - ms[2]) / (ms[1] + (size - 1) * ms[2]),
       icc2 = (ms[1] - ms[2]) / ms[1], p_value = table[["Pr(>F)"]][1])
}
agreements <- list(c(list(data = "Hsb82"), anova_of(Hsb82$mAch, Hsb82$school)))
for (scale_name in c("A", "C", "E", "N", "O")) {
  frame <- na.omit(cbind(turned(bfi[paste0(scale_name, 1:5)]), age = bfi$age))
  frame <- frame[frame$age %in% as.numeric(names(which(table(frame$age) >= 5))), ]
  items <- as.matrix(frame[1:5])
  j <- 5; expected <- (6^2 - 1) / 12
  by_age <- split(as.data.frame(items), frame$age)
  several <- sapply(by_age, function(x) { s <- mean(apply(x, 2, var)) / expected; if (s > 1) 0 else j * (1 - s) / (j * (1 - s) + s) })
  one <- sapply(by_age, function(x) max(0, 1 - var(x[[1]]) / expected))
  tau <- with(anova_of(rowMeans(items), frame$age), {
    sizes <- table(frame$age); n <- sum(sizes)
    n0 <- (n - sum(sizes^2) / n) / (length(sizes) - 1)
    t2 <- (ms_between - ms_within) / n0
    mean(t2 / (t2 + ms_within / sizes))
  })
  agreements[[length(agreements) + 1]] <- c(
    list(data = scale_name), anova_of(rowMeans(items), frame$age),
    list(reliability = tau, rwg_of_items = mean(several), rwg_of_items_median = median(several), rwg_of_first = mean(one)))
}

# --- raters ---
iccs <- list(); kappas <- list()
weighted_error <- function(first, second, w) {
  p <- table(factor(first, 1:6), factor(second, 1:6)); n <- sum(p); p <- p / n
  kappa_of <- function(p) { p <- p / sum(p); e <- sum(w * outer(rowSums(p), colSums(p))); (sum(w * p) - e) / (1 - e) }
  slope <- matrix(0, 6, 6); h <- 1e-5
  for (i in 1:6) for (k in 1:6) { up <- p; up[i, k] <- up[i, k] + h; down <- p; down[i, k] <- down[i, k] - h
    slope[i, k] <- (kappa_of(up) - kappa_of(down)) / (2 * h) }
  sqrt((sum(p * slope^2) - sum(p * slope)^2) / n)
}
for (set in list(c("A2", "A3"), c("N1", "N2"), c("N1", "N3"), c("E1", "E2"), c("C1", "C2"), c("O1", "O3"))) {
  x <- na.omit(bfi[1:400, set])
  apart <- abs(outer(1:6, 1:6, "-")) / 5
  quadratic <- cohen.kappa(x, w = 1 - apart^2); linear <- cohen.kappa(x, w = 1 - apart)
  kappas[[length(kappas) + 1]] <- list(
    items = set, plain = quadratic$kappa, plain_error = sqrt(quadratic$var.kappa),
    quadratic = quadratic$weighted.kappa, quadratic_error = weighted_error(x[[1]], x[[2]], 1 - apart^2),
    linear = linear$weighted.kappa, linear_error = weighted_error(x[[1]], x[[2]], 1 - apart))
}
for (set in list(c("A2", "A3"), c("A2", "A3", "A5"), paste0("N", 1:5), c("N1", "N4"), c("C1", "C2", "C3"), c("E3", "E5"), paste0("O", c(1, 3, 4)))) {
  x <- na.omit(bfi[1:120, set])
  found <- ICC(x, lmer = FALSE)$results
  iccs[[length(iccs) + 1]] <- list(items = set, type = found$type, icc = found$ICC, f = found$F, df1 = found$df1,
                                   df2 = found$df2, p = found$p, low = found$`lower bound`, high = found$`upper bound`)
}

# --- careless answers: the definitions of the package careless 1.2.2, one respondent at a time ---
first <- bfi[1:300, 1:25]
longest <- function(x) { same <- rle(ifelse(is.na(x), paste0("none", seq_along(x)), x)); max(same$lengths[!grepl("none", same$values)]) }
stepped <- function(x) {
  pairs <- sapply(0:4, function(s) { own <- x[5 * s + 1:5]; c(mean(own[c(2, 4)], na.rm = TRUE), mean(own[c(1, 3, 5)], na.rm = TRUE)) })
  r <- cor(pairs[1, ], pairs[2, ], use = "pairwise.complete.obs"); r <- 2 * r / (1 + r)
  if (!is.na(r) && r < -1) r <- -1
  -r
}
r <- cor(first, use = "pairwise.complete.obs"); r[upper.tri(r, TRUE)] <- NA
like <- function(x, pairs) {
  one <- x[pairs[, 1]]; other <- x[pairs[, 2]]
  if (sum(!is.na(one) & !is.na(other)) > 2) cor(one, other, use = "pairwise.complete.obs") else NA
}
rows <- as.matrix(first); keyed <- as.matrix(turned(first))
careless <- list(
  longstring = apply(rows, 1, longest), irv = apply(rows, 1, sd, na.rm = TRUE),
  mahalanobis_d2 = as.numeric(outlier(first, plot = FALSE, bad = 0)), even_odd = apply(keyed, 1, stepped),
  psychsyn = apply(rows, 1, like, which(r > .5, arr.ind = TRUE)), psychant = apply(rows, 1, like, which(r < -.3, arr.ind = TRUE)))
careless <- lapply(careless, unname)

made <- list(R = R.version.string)
for (name in c("psych", "lavaan", "GPArotation", "mlmRev")) made[[name]] <- as.character(packageVersion(name))
write(toJSON(list(made_with = made, alpha = alphas, omega = omegas, hierarchical = hierarchical, agreement = agreements,
                  kappa = kappas, icc = iccs, careless = careless), auto_unbox = TRUE, digits = NA, na = "null"),
      "tests/reference/reliability.json")
