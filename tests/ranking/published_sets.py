"""Contests that R's BradleyTerry2 ships, collapsed to counts, and what R makes of them.

R 4.2.2 with BradleyTerry2 1.1-2 (Turner & Firth 2012, "Bradley-Terry models in R: the BradleyTerry2 package", J. Stat.
Softw. 48(9)) and gnm 1.1-2 there. Glm's with `epsilon = 1e-14`. Rows of pairs are i-j:wins of i/ties/wins of j.
"""

from __future__ import annotations

import re

import numpy as np

from ranking import Comparisons, Floats

# Springall 1973, "Response surface fitting using a generalization of the Bradley-Terry paired comparison method", Appl.
# Statist. 22: which of two samples tastes stronger, at nine concentrations of flavour and gel. In R a column's wins
# over a row; so the column stands first here.
SPRINGALL = """
    1-0:2/7/16 2-0:0/1/21 3-0:5/10/10 4-0:2/7/15 5-0:0/2/22 6-0:12/9/3 7-0:13/5/9 8-0:10/3/12 2-1:6/5/11 3-1:17/7/2
    4-1:9/8/6 5-1:8/6/12 6-1:24/0/2 7-1:16/5/3 8-1:15/7/2 3-2:22/4/2 4-2:14/5/4 5-2:11/7/4 6-2:24/3/1 7-2:22/3/0
    8-2:17/6/2 4-3:3/9/14 5-3:2/4/18 6-3:12/5/6 7-3:10/6/6 8-3:8/11/9 5-4:5/9/11 6-4:20/2/0 7-4:15/5/2 8-4:13/9/5
    6-5:27/0/1 7-5:19/5/1 8-5:18/2/2 7-6:2/8/13 8-6:2/5/21 8-7:6/8/8
"""
SPRINGALL_FLAVOUR = (0.6, 4.8, 9.0, 0.6, 4.8, 9.0, 0.6, 4.8, 9.0)
SPRINGALL_GEL = (0.0, 0.0, 0.0, 2.4, 2.4, 2.4, 4.8, 4.8, 4.8)

# Kousgaard 1984, "Analysis of a sound field experiment by a model for paired comparisons with explanatory variables",
# Scand. J. Statist. 11: eight sound fields, the cells of three factors, under three instruments.
SOUND_FIELDS = {
    "cello": """
    7-6:0/3/2 7-5:3/1/1 7-4:2/1/2 7-3:2/2/1 7-2:4/0/1 7-1:4/0/1 7-0:2/3/0 6-5:1/3/1 6-4:1/1/3 6-3:4/1/0 6-2:2/3/0
    6-1:4/0/1 6-0:4/1/0 5-4:1/2/2 5-3:2/3/0 5-2:1/3/1 5-1:3/2/0 5-0:3/2/0 4-3:1/3/1 4-2:2/1/2 4-1:5/0/0 4-0:4/0/1
    3-2:0/3/2 3-1:2/3/0 3-0:4/0/1 2-1:3/2/0 2-0:4/1/0 1-0:1/2/2
""",
    "flute": """
    7-6:1/1/3 7-5:0/1/4 7-4:0/1/4 7-3:2/2/1 7-2:3/1/1 7-1:5/0/0 7-0:5/0/0 6-5:3/0/2 6-4:1/2/2 6-3:2/1/2 6-2:2/1/2
    6-1:4/1/0 6-0:3/1/1 5-4:3/0/2 5-3:2/0/3 5-2:3/0/2 5-1:3/2/0 5-0:3/1/1 4-3:1/0/4 4-2:1/1/3 4-1:5/0/0 4-0:4/0/1
    3-2:2/0/3 3-1:4/1/0 3-0:1/2/2 2-1:5/0/0 2-0:4/1/0 1-0:2/2/1
""",
    "violin": """
    7-6:4/4/2 7-5:4/2/4 7-4:6/2/2 7-3:3/4/3 7-2:8/0/2 7-1:7/2/1 7-0:7/2/1 6-5:6/2/2 6-4:6/2/2 6-3:7/3/0 6-2:3/3/4
    6-1:7/3/0 6-0:7/1/2 5-4:5/2/3 5-3:5/3/2 5-2:4/2/4 5-1:6/1/3 5-0:7/1/2 4-3:5/2/3 4-2:3/2/5 4-1:7/2/1 4-0:3/4/3
    3-2:6/1/3 3-1:5/4/1 3-0:8/0/2 2-1:6/1/3 2-0:6/2/2 1-0:5/2/3
""",
}

# Dittrich, Hatzinger & Katzenbeisser 1998, "Modelling the effect of subject-specific covariates in paired comparison
# studies", Appl. Statist. 47: 303 students on Barcelona, London, Milano, Paris, St. Gallen and Stockholm; by whether a
# student works full time (`WOR`). 91 answers on London against Milano are missing.
CEMS_SCHOOLS = {
    False: """
    1-0:208/19/63 2-0:100/65/125 3-0:151/36/103 4-0:141/24/125 1-2:214/25/51 3-2:114/31/56 1-3:181/26/83 1-4:199/20/71
    2-4:127/28/135 3-4:154/19/117 0-5:163/41/86 1-5:237/19/34 2-5:148/44/98 3-5:191/30/69 4-5:148/48/94
""",
    True: """
    1-0:9/0/4 2-0:4/2/7 3-0:6/1/6 4-0:3/1/9 1-2:7/1/5 3-2:7/1/3 1-3:5/0/8 1-4:9/2/2 2-4:8/0/5 3-4:11/0/2 0-5:9/0/4
    1-5:13/0/0 2-5:9/2/2 3-5:12/0/1 4-5:7/2/4
""",
}
SPEAKS_LATIN = (1, 0, 1, 1, 0, 0)

# Stigler 1994, "Citation patterns in the journals of statistics and probability", Statist. Sci. 9, as in Agresti 2002,
# "Categorical data analysis", p. 448: citations of the row in the column; Biometrika, Comm. Statist., JASA, JRSS-B.
CITATIONS = ((0, 730, 498, 221), (33, 0, 68, 17), (320, 813, 0, 142), (284, 276, 325, 0))

# English Premier League 2008/9: home team's result against each other team, in this order.
LEAGUE = (
    ("Ars", "-LWWLWDLDWWWWWWDDWDW"),
    ("Ast", "D-WWLDDWDLWDWDDWLWDD"),
    ("Blb", "LL-DLDWDLDDLWWWLWDDW"),
    ("Bol", "LDD-LLLDLWWLWWWDWDWL"),
    ("Che", "LWWW-DWDLWWDDWWWDWDW"),
    ("Eve", "DLLWD-WWLDLDDLWWDWWW"),
    ("Ful", "WWLWDL-LLWDWWWWDWWLW"),
    ("Hul", "LLLLLDW-LWDLDDLLLDWL"),
    ("Liv", "DWWWWDDD-WDWWWDWWWDW"),
    ("Mid", "DDDLLLDWW-WLDDWDWLDD"),
    ("MnC", "WWWWLLLWLW-LWWWWLWWW"),
    ("MnU", "DWWWWWWWLWW-DWWWWWWW"),
    ("New", "LWLWLDLLLWDL-DDDWWDD"),
    ("Por", "LLWWLWDDLWWLL-WWWDLL"),
    ("Sto", "WWWWLLDDDWWLDD-WWWLW"),
    ("Sun", "DLDLLLWWLWLLWLW-DWLL"),
    ("Tot", "DLWWWLDLWWWDWDWL-WWD"),
    ("WBA", "LLDDLLWLLWWLLDLWW-WW"),
    ("WHU", "LLWLLLWWLWWLWDWWLD-W"),
    ("Wig", "LLWDLWDWDLWLWWDDWWL-"),
)
# gnm(count ~ GenDavidson(result == 1, result == 0, result == -1, home, away, home.adv = ~1, tie.max = ~1,
#   at.home1 = at.home, at.home2 = !at.home) - 1, eliminate = match, family = poisson): abilities against Arsenal.
LEAGUE_DAVIDSON = """
    -0.6550576 -1.8619500 -1.9490653 0.6420682 -0.5654278 -1.1771468 -2.2153370 1.0112079 -2.3984232 -1.5183413
    1.1445188 -2.2153370 -1.8619500 -1.6894087 -2.2153370 -1.3478683 -2.4921414 -1.3478683 -1.6894087
"""
LEAGUE_DAVIDSON_ERRORS = """
    0.6158114 0.6227203 0.6248368 0.6591304 0.6169876 0.6136867 0.6327193 0.6833909 0.6394229 0.6165193 0.6937079
    0.6327193 0.6227203 0.6191825 0.6327193 0.6146921 0.6432780 0.6146921 0.6191825
"""
# BTm((result + 1)/2, data.frame(team = home, at.home = 1), data.frame(team = away, at.home = 0), ~ team + at.home)
LEAGUE_HALF = """
    -0.4406664 -1.2597057 -1.3189180 0.4275189 -0.3801441 -0.7942983 -1.4997570 0.6709811 -1.6238956 -1.0260937
    0.7584449 -1.4997570 -1.2597057 -1.1423988 -1.4997570 -0.9102373 -1.6873494 -0.9102373 -1.1423988
"""
LEAGUE_HALF_ERRORS = """
    0.5043548 0.5070007 0.5083443 0.5370649 0.5053493 0.5018776 0.5134681 0.5546901 0.5179164 0.5032405 0.5621429
    0.5134681 0.5070007 0.5048090 0.5134681 0.5022669 0.5204988 0.5022669 0.5048090
"""

# College hockey, men's division I, 2009/10, regular season, 1,083 games. Of each team as visitor: opponent's number and
# the visitor's results there, in small letters on neutral ice.
HOCKEY = (
    ("Alaska Anchorage", "4L 13LW 19TL 29LL 32LL 35WW 50TL 55LLLL"),
    ("Air Force", "5LT 9LL 11WW 12LW 13L 17TW 22WT 49LL 51LLl"),
    ("Alab-Huntsville", "1WW 9LL 15LT 39WLLW 42WL 47TWLLw 54L"),
    ("American Int'l", "1LL 5LT 8L 12TL 17LL 22TTL 27LL 46L 48L 51LL 53L"),
    ("Alaska", "0W 7LW 23LW 28LT 40TLLL 41WL 43WT 56LT"),
    ("Army", "1LL 3LW 11WL 12LT 14T 22LW 27TL 33L 41L 48W 49LL 51TL"),
    ("Boston College", "10Ww 19L 21W 24WW 26WT 30LL 33L 37L 38TT 42W 45W 54L"),
    ("Bowling Green", "20LL 28WL 29LL 32L 34LL 40LT 41TLLL 42LT 43LL"),
    ("Brown", "14L 15W 16Ll 18L 21W 44LL 45L 46L 48LWLW 50LL 52Lw 53T 57LWLW"),
    ("Bemidji State", "2WWWT 25W 32LW 39LW 40TW 41WL 47LW 56TW"),
    ("Boston University", "6wW 16t 21W 24L 26L 30WW 33L 37LW 38L 45LL 54LL"),
    ("Bentley", "1TL 3LL 8W 12WL 17WL 22LL 27WL 37L 46L 48L 49LW"),
    ("Canisius", "3WW 5LL 11LW 17WW 23LL 27WWWW 49LLl 51LT"),
    ("Colorado College", "0WL 16w 19TW 25LLLWL 29WW 32LL 50TW 55WT"),
    ("Colgate", "8W 12L 15W 16L 18T 21W 30L 39Tl 42l 44W 46L 48W 49w 52L 53L 57T"),
    ("Clarkson", "6L 7l 8L 14L 16L 18W 21T 25LL 34LL 40l 44L 46L 48L 52TLWL 53L 57L"),
    ("Cornell", "8W 14W 15W 18L 21W 38W 44lL 46W 48W 52T 53T 57L"),
    ("Connecticut", "1LT 5LW 8L 11LLW 12TL 20LL 22LL 27LL 33L 44L 49LLLL"),
    ("Dartmouth", "8T 14L 15T 16L 21WL 38l 44L 46LLWL 48L 52W 53W 54L 57L"),
    ("Denver", "0WL 1W 13WW 25WL 29WW 32WW 36WW 43WL 55TL"),
    ("Ferris State", "4LL 12WL 23LW 28L 31TTl 34L 42WW 43LT 56WT 57l"),
    ("Harvard", "6l 8W 14L 15L 16LLL 18W 32LL 37l 44TWW 46L 48T 52L 53W 57L"),
    ("Holy Cross", "1WL 3LL 11WT 12WW 18W 27LL 30l 33L 45L 49LL 51WLLL"),
    ("Lake Superior", "4LL 7WW 11t 25L 28LL 31LL 34LT 35W 40LL 41LW 47WW 53t 56TL"),
    ("Massachusetts", "6LLL 10LL 11l 26WW 30LW 33L 37WL 38L 39W 45WW 46L 54W 57W"),
    ("Minnesota Duluth", "0LW 9L 13WL 29WW 32WW 35LW 36LLl 50TL 54L"),
    ("Maine", "6Ll 10LLw 13w 24L 30W 33LW 37WL 38L 45L 53LL 54WT"),
    ("Mercyhurst", "0L 1TW 2l 3WW 4l 5TW 11LW 12LW 13L 17WL 19L 25l 51LL 56LL"),
    ("Michigan", "0W 4l 7wW 10L 20L 23WW 31w 34LLWW 35w 40w 41LL 42LL 43LW 55L 56W"),
    ("Minnesota State", "0WL 9WW 19LT 25LL 32W 35LW 36LL 41L 50TWLL 55LL"),
    ("UMass Lowell", "2WW 6L 10W 24L 26LWWLL 33L 37WL 38LT 41L 45LT 52w 54T"),
    ("Miami", "4TW 7WW 9l 20WW 28WW 36T 38WT 40WW 43WT 47L 56WT"),
    ("Minnesota", "0WL 19LL 25WL 28L 29W 34W 35WW 36LTLWL 50L 55LW"),
    ("Merrimack", "6LL 10LLLWL 20l 24LW 26L 30LL 36LL 37L 38L 45W 54TW 55L"),
    ("Michigan State", "4LT 7WT 20L 26WL 28Wl 31LW 35w 40WL 42lL 56W"),
    ("Michigan Tech", "13LL 19LLLL 25WL 29LL 36LL 40L 50LL 55LL"),
    ("North Dakota", "0WL 13WW 16LW 19LLw 25WL 32TL 35WW 42t 50LWw"),
    ("Northeastern", "6LL 10lL 13LW 18W 24W 26L 30Lw 33LW 38LL 45T 54WL"),
    ("New Hampshire", "6L 10TW 24LW 26LL 30L 33WL 37T 45WW 48L 54W 55LL"),
    ("Niagara", "2LLl 9LLLLw 14L 15L 16L 24L 28L 36l 46WT 47TWW 49W 52L"),
    ("Northern Michigan", "4TT 20TWw 23LL 25W 28WL 32W 35LT 41LL 42WT 43WL"),
    ("Nebraska-Omaha", "4LW 14TW 19L 20LLLL 23LL 29T 31LW 34LT 40LL 42WL 52t"),
    ("Notre Dame", "4WL 7LT 10W 23WT 28LL 31LL 34TT 43LL 56LL"),
    ("Ohio State", "9w 20LL 23LW 31LLLWL 34LW 36L 41TL 42LT 56WT"),
    ("Princeton", "8L 14L 15L 16L 18W 21W 26t 30LW 46L 48W 52T 53L 57L"),
    ("Providence", "6LL 7WW 10L 18L 24W 26LL 30L 33LT 37LL 38L 42WL 54L"),
    ("Quinnipiac", "8L 14W 15L 16W 18L 21L 22T 43WW 44L 47WL 48L 52W 53LWLL 57L"),
    ("Robert Morris", "0w 2LW 4L 9LLLWt 12T 13LL 14LT 20LL 31W 39WTL"),
    ("Rensselaer", "0l 4T 8L 10W 14L 15W 16T 18L 21W 24L 28w 34l 39L 44W 46W 52L 53WL 57W"),
    ("RIT", "1LL 3WW 5WW 15L 17WL 22TW 27WW 29LL 51WL 52L"),
    ("St. Cloud State", "0WW 13WL 19LW 29L 31LL 32W 35LW 36LW 46WW 55WLw"),
    ("Sacred Heart", "1LL 3WW 5LL 11LT 17WW 18W 22WW 48L 49LLl 52LT 53W 57L"),
    ("St. Lawrence", "5w 6w 8T 14WWW 15LW 16L 18L 21W 26l 39WL 44W 46L 48T 53Ll 54L 57L"),
    ("Union", "5W 8T 14L 15W 16Ll 17W 18W 21L 24l 44W 46W 48WW 50TL 52W 57L"),
    ("Vermont", "6LWl 10T 19LW 24LW 26L 30LT 33L 37W 38LTLWW 45WT"),
    ("Wisconsin", "13WL 19w 25WL 28L 29WL 32WL 34W 35WW 36TW 50LW"),
    ("Western Michigan", "2WW 4LL 7TL 20LT 28L 31LL 34L 40LL 41LL 43LL"),
    ("Yale", "8W 14W 15W 16W 18W 21L 22W 44WW 46L 48L 52L 53T 54L 55T"),
)
# BTm(result, visitor, opponent, ~ team, id = "team"): against Alaska Anchorage.
HOCKEY_PLAIN = """
    0.0000000 -1.4135092 -0.6825408 -2.9316119 0.6830784 -1.8921408 1.1680488 -0.8964352 -0.7589778 0.6834532 0.4554259
    -2.0345290 -1.5227815 0.7685922 -0.3956476 -1.1098621 0.6277943 -2.7002425 -0.9498660 1.6182357 0.6743095
    -0.9427436 -1.9195560 0.0934891 0.3392128 0.8473917 0.5267369 -1.8415823 0.7598433 0.3859384 0.4267474 1.5117163
    0.7260067 0.2236036 0.6256400 -0.8350390 1.3947120 0.3497855 0.7346545 -0.6365210 0.7772549 0.5279219 0.0869188
    0.3953451 -0.6144365 -0.3601595 -0.2848159 -0.5961659 -0.3077554 -0.6958867 1.1654982 -1.0618350 -0.2676977
    0.1739051 0.6338247 1.4976062 -0.3796269 0.3922181
"""
HOCKEY_PLAIN_ERRORS = """
    0.0000000 0.6560543 0.6052354 0.7121395 0.5567231 0.6623246 0.6125200 0.6061207 0.6015100 0.5803558 0.5969077
    0.6659793 0.6557150 0.4896264 0.5841645 0.5980005 0.6129148 0.6916331 0.6161269 0.5128358 0.5729583 0.6183716
    0.6611276 0.5667630 0.6022294 0.4985751 0.5883737 0.6521514 0.5441457 0.4879296 0.5942249 0.5755720 0.4882450
    0.6021587 0.5640299 0.5855012 0.5023183 0.6074080 0.5940797 0.5894458 0.5566315 0.5499233 0.5673672 0.5651103
    0.6191923 0.6142132 0.5782421 0.5852820 0.5742169 0.6500328 0.4919083 0.6500918 0.5763619 0.5861624 0.5915251
    0.5037569 0.5924295 0.6191268
"""
# BTm(result, data.frame(team = visitor, home.ice = 0), data.frame(team = opponent, home.ice = home.ice),
#   ~ team + home.ice, id = "team")
HOCKEY_AT_HOME = """
    0.0000000 -1.1654793 -0.4490054 -2.6554773 0.7468260 -1.5974521 1.3303922 -0.8385947 -0.5780410 0.8853896 0.5404644
    -1.7777218 -1.2594386 0.7972608 -0.3196048 -1.0139691 0.7082100 -2.4240627 -0.8337581 1.6580614 0.7437427
    -0.8287989 -1.6459840 0.2011936 0.5216705 0.8320537 0.6195387 -1.5851549 0.8384394 0.4255027 0.5896510 1.5971751
    0.7364854 0.4044138 0.6400036 -0.9010369 1.3853813 0.4955889 0.8452122 -0.4478297 0.8576722 0.6186551 0.1460474
    0.4477989 -0.5439474 -0.2183410 -0.1714017 -0.4218597 -0.2144489 -0.4176498 1.1813619 -0.7688006 -0.1381368
    0.2596419 0.7858836 1.5119927 -0.3042758 0.5185252
"""
HOCKEY_AT_HOME_ERRORS = """
    0.0000000 0.6647949 0.6085049 0.7208678 0.5630722 0.6714020 0.6222608 0.6168783 0.6128848 0.5886578 0.6052367
    0.6761582 0.6610048 0.4956616 0.5897637 0.6074075 0.6166857 0.7027401 0.6243489 0.5185414 0.5782328 0.6271942
    0.6709465 0.5711303 0.6113792 0.4999197 0.5959121 0.6616074 0.5483610 0.4961688 0.6032257 0.5825118 0.4935920
    0.6145463 0.5715831 0.5904911 0.5034501 0.6177630 0.6012275 0.5976298 0.5625189 0.5586468 0.5735936 0.5715206
    0.6294631 0.6217685 0.5839191 0.5924440 0.5824854 0.6598345 0.4992495 0.6619247 0.5844428 0.5929386 0.6040291
    0.5142545 0.5972150 0.6285064
"""
# The same with ~ (1 | team) + home.ice and tol = 1e-13: what is predicted of each team.
HOCKEY_RANDOM = """
    -0.3381161 -0.1038760 -0.2288295 -0.9006894 0.2813843 -0.3607568 0.6133253 -0.7170807 -0.2445747 0.5053482
    0.0857081 -0.4426450 -0.1339033 0.1706181 -0.0852756 -0.5650528 0.4714109 -0.8345634 -0.4042294 0.7133862 0.3104989
    -0.4656622 -0.3957018 -0.0327832 0.1169811 0.2082470 0.1463041 -0.3620715 0.3192858 -0.0385995 0.1771269 0.7807514
    0.0999306 0.0023169 0.1964542 -0.8518993 0.5400545 0.0689450 0.2618579 -0.2631006 0.3301807 0.2031713 -0.1202630
    0.0186604 -0.2369422 -0.3499015 -0.0057620 -0.2913872 -0.0374449 0.3744482 0.4369769 0.1736776 0.0472490 0.2734752
    0.2332619 0.6090245 -0.3761573 0.4172079
"""


def figures(text: str) -> Floats:
    return np.array(text.split(), dtype=float)


def pairs(text: str, count: int) -> Comparisons:
    """Weighted rows: wins of the first, ties, wins of the second."""
    found = np.array(re.findall(r"(\d+)-(\d+):(\d+)/(\d+)/(\d+)", text), dtype=np.int64)
    return Comparisons(
        a=np.repeat(found[:, 0], 3),
        b=np.repeat(found[:, 1], 3),
        outcome=np.tile([1.0, 0.5, 0.0], len(found)),
        weight=found[:, 2:].ravel(),
        count=count,
    )


def league() -> Comparisons:
    """The home team is A."""
    table = np.array([list(results) for _, results in LEAGUE])
    home, away = np.nonzero(table != "-")
    outcome = np.array([{"W": 1.0, "D": 0.5, "L": 0.0}[result] for result in table[home, away]])
    return Comparisons(a=home, b=away, outcome=outcome, count=len(LEAGUE))


def hockey() -> Comparisons:
    """The visitor is A; the covariate is minus one where B plays on its own ice."""
    games = [
        (visitor, int(opponent), {"W": 1.0, "T": 0.5, "L": 0.0}[result.upper()], -float(result.isupper()))
        for visitor, (_, season) in enumerate(HOCKEY)
        for opponent, results in re.findall(r"(\d+)([A-Za-z]+)", season)
        for result in results
    ]
    a, b, outcome, away = (np.array(column) for column in zip(*games, strict=True))
    return Comparisons(a=a, b=b, outcome=outcome, count=len(HOCKEY), covariates=away[:, None])
