# Reference values for nested random intercepts: lme4 at tight tolerances, and nlme's containment degrees of freedom.
# Data: mlmRev (STAR, Exam, Hsb82, Chem97, egsingle). Run from the root: Rscript tests/reference/multilevel.R
# It writes multilevel.json beside itself. nlme's degrees of freedom of the intercept are the innermost level's;
# htresearch takes the outermost level's there, so the intercept's are compared on their own.
suppressPackageStartupMessages({
  library(lme4)
  library(nlme)
  library(mlmRev)
  library(jsonlite)
})

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-11, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore", calc.derivs = FALSE)

# Plain factors whose levels are sorted as pandas sorts text, so that the bases agree.
plain <- function(frame) {
  frame[] <- lapply(frame, function(x) {
    if (is.factor(x)) factor(as.character(x), levels = sort(unique(as.character(x)), method = "radix")) else x
  })
  frame
}

reference <- function(data, name, fixed, groups, method) {
  used <- c(all.vars(fixed), groups)
  frame <- droplevels(na.omit(data[, used]))
  random <- paste0("(1 | ", paste(groups, collapse = "/"), ")")
  formula <- as.formula(paste(deparse1(fixed), "+", random))
  reml <- method == "reml"
  fit <- lmer(formula, frame, REML = reml, control = tight)
  frame[groups] <- lapply(frame[groups], factor)
  contained <- lme(fixed, frame, random = as.formula(paste("~ 1 |", paste(groups, collapse = "/"))),
                   method = toupper(method), control = lmeControl(opt = "optim", returnObject = TRUE))
  table <- as.data.frame(VarCorr(fit))
  # lme4 lists the innermost groups first and the residual last; here the outermost come first.
  variance <- c(rev(table$vcov[-nrow(table)]), table$vcov[nrow(table)])
  outermost <- as.data.frame(ranef(fit, condVar = TRUE))
  outermost <- outermost[outermost$grpvar == groups[1], ]
  list(
    data = name, formula = deparse1(formula), method = method, n = nobs(fit),
    groups = unname(rev(as.integer(ngrps(fit)))),
    criterion = -2 * as.numeric(logLik(fit)), variance = variance,
    term = names(fixef(fit)), estimate = unname(fixef(fit)), std_error = unname(sqrt(diag(as.matrix(vcov(fit))))),
    df = unname(contained$fixDF$X),
    random = list(group = as.character(outermost$grp), estimate = outermost$condval, std_dev = outermost$condsd)
  )
}

# Grade 3 of Project STAR. `clad` is the teacher's career-ladder level; level 1 is the base and NOT stays a level of
# its own, as a teacher off the ladder is not a teacher before it. The models with `hdeg` are the study's main ones.
grade3 <- plain(subset(star, gr == "3"))
grade3$cltype <- relevel(grade3$cltype, "reg")
grade3$clad <- relevel(grade3$clad, "1")
grade3$ladder <- factor(ifelse(grade3$clad %in% c("1", "2", "3"), as.character(grade3$clad), "pre"),
                        levels = c("pre", "1", "2", "3"))
grade3$ladder[is.na(grade3$clad)] <- NA

school <- c("sch", "tch")
values <- list(
  reference(grade3, "star3", math ~ cltype + clad + exp + hdeg + ses + sx + schtype, school, "reml"),
  reference(grade3, "star3", read ~ cltype + clad + exp + hdeg + ses + sx + schtype, school, "reml"),
  reference(grade3, "star3", math ~ cltype + clad + exp + ses + sx + schtype, school, "reml"),
  reference(grade3, "star3", read ~ cltype + clad + exp + ses + sx + schtype, school, "reml"),
  reference(grade3, "star3", math ~ cltype + clad + exp + ses + sx + schtype, school, "ml"),
  reference(grade3, "star3", math ~ cltype + ladder + exp + ses + sx + schtype, school, "reml"),
  reference(grade3, "star3", math ~ 1, school, "reml"),
  reference(plain(Exam), "Exam", normexam ~ standLRT, "school", "ml"),
  reference(plain(Exam), "Exam", normexam ~ standLRT + sex + schgend + schavg, "school", "reml"),
  reference(plain(Hsb82), "Hsb82", mAch ~ 1, "school", "reml"),
  reference(plain(Hsb82), "Hsb82", mAch ~ meanses + cses * sector, "school", "reml"),
  reference(plain(egsingle), "egsingle", math ~ 1, c("schoolid", "childid"), "ml"),
  reference(plain(egsingle), "egsingle", math ~ year + lowinc + female, c("schoolid", "childid"), "reml"),
  reference(plain(Chem97), "Chem97", score ~ 1, c("lea", "school"), "ml"),
  reference(plain(Chem97), "Chem97", score ~ gcsecnt, c("lea", "school"), "reml")
)
made <- list(R = R.version.string, lme4 = as.character(packageVersion("lme4")),
             nlme = as.character(packageVersion("nlme")), mlmRev = as.character(packageVersion("mlmRev")))
write(toJSON(list(made_with = made, models = values), auto_unbox = TRUE, digits = NA, pretty = TRUE),
      "tests/reference/multilevel.json")
